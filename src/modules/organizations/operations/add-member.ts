import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { oneTimePassword } from "../../../platform/identity/tokens.ts";
import { operation, type Context } from "../../../platform/operation/index.ts";
import { mayGive, userOf } from "../caller.ts";
import { MemberExists, NameTaken, RoleTooWide } from "../errors.ts";
import { MemberAdded } from "../events.ts";
import { orgTypeId, userTypeId } from "../ids.ts";
import { passwords } from "../passwords.ts";
import { Email, LoginName, Member, OneLine, RoleName } from "../schemas.ts";
import { showMember } from "../shown.ts";
import { insertLocalUser, insertMembership } from "../store.ts";
import { administersOneOf, memberOf, userIdByName } from "../views.ts";

export const addMember = operation({
  id: "members.add",
  http: "POST /api/v1/members",
  cli: { name: "members add", positional: ["name"], columns: ["user", "name", "role", "oneTimePassword"] },
  summary: "Add a member: a new user with a one-time password, or one that you administer elsewhere",
  permission: "members:write",
  effect: "change",
  answersSecret: true,
  without: { mcp: "the answer may hold a password, which is for a person" },
  database: "system",
  input: Type.Object({
    name: LoginName,
    role: RoleName,
    displayName: Type.Optional(OneLine),
    email: Type.Optional(Email),
  }),
  output: Type.Object({
    ...Member.properties,
    oneTimePassword: Type.Optional(Type.String({ description: "Of a new user; shown once" })),
  }),
  errors: [MemberExists, NameTaken, RoleTooWide],
  creates: true,
  examples: [{ input: { name: "ada", role: "operator", displayName: "Ada Lovelace" } }],
  async prepare(context, input): Promise<{ known?: string; password?: string; hash?: string }> {
    const known = await context.transaction((db) => userIdByName(db, input.name));
    if (known !== undefined) return { known };
    const password = oneTimePassword();
    return { password, hash: await passwords.hash(password) };
  },
  async handle(context, input, staged) {
    const { db, orgId } = context;
    mayGive(context.actor, input.role);
    const at = timestamp(context.clock);
    const userId = staged.known ?? context.ids.uuid();
    const created = staged.hash !== undefined;
    if (staged.hash !== undefined) {
      const user = { id: userId, name: input.name, displayName: input.displayName ?? input.name, email: input.email ?? null, hash: staged.hash, sealed: null, at };
      if (!(await insertLocalUser(db, user))) fail(NameTaken, `The login name ${input.name} is taken; choose another.`);
    } else if (!(await isWithinReach(context, userId))) {
      // Otherwise any administrator could pull in a stranger by name, and read their details.
      fail(NameTaken, `The login name ${input.name} is taken. Only somebody who administers an organization of that person can add them to another.`);
    }
    if (!(await insertMembership(db, { orgId, userId, role: input.role, at }))) fail(MemberExists, `${input.name} is a member already; use members.set-role to change the role.`);
    const row = await memberOf(db, orgId, userId);
    if (row === undefined) throw new Error("a membership is missing although it was made");
    await context.events.append({ type: MemberAdded, subject: userTypeId(userId), data: { organization: orgTypeId(orgId), role: input.role, created } });
    return { ...showMember(row), ...(staged.password === undefined ? {} : { oneTimePassword: staged.password }) };
  },
});

/** Where a person administers, they may add from; a key reaches no further than the organization that it was made in. */
async function isWithinReach({ actor, db, orgId }: Context, userId: string): Promise<boolean> {
  return actor.kind === "user" ? administersOneOf(db, userOf(actor), userId) : (await memberOf(db, orgId, userId)) !== undefined;
}
