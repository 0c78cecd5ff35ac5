import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { eventOf, personOf } from "../caller.ts";
import { erasePerson } from "../erase-person.ts";
import { LastAdministrator, NotConfirmed, PersonNeeded, UserNotFound } from "../errors.ts";
import { MemberRemoved, UserErased } from "../events.ts";
import { orgTypeId, UserId, userUuid } from "../ids.ts";
import { isLast } from "../last-administrator.ts";
import { livingUser, membershipsOf } from "../person-views.ts";
import { LoginName } from "../schemas.ts";
import { lockAdministrators } from "../store.ts";

export const eraseUser = operation({
  id: "users.erase",
  http: "DELETE /api/v1/users/{user}",
  cli: { name: "users erase", positional: ["user"] },
  summary: "Erase a person: what they sign in with, and everything that says who they are",
  description: "Memberships, sessions and API keys end. The login name is free again. Logs go on to name the id, and nothing tells whose it was; no chain breaks. This cannot be taken back.",
  permission: "platform:users",
  effect: "destructive",
  confirm: "second-factor",
  database: "system",
  without: { mcp: "a person confirms it with a second factor" },
  input: Type.Object({
    user: UserId,
    name: Type.String({ ...LoginName, description: "The login name once more, so that it is the right person" }),
  }),
  output: Type.Object({
    erased: UserId,
    organizations: Type.Integer({ minimum: 0, description: "Memberships that ended" }),
    revokedKeys: Type.Integer({ minimum: 0 }),
    endedSessions: Type.Integer({ minimum: 0 }),
  }),
  errors: [UserNotFound, NotConfirmed, LastAdministrator, PersonNeeded],
  examples: [{ input: { user: "usr_01jd0000000000000000000000", name: "ada" } }],
  async handle({ db, actor, clock, events }, input) {
    personOf(actor);
    const userId = userUuid(input.user);
    const user = await livingUser(db, userId);
    if (user === undefined) fail(UserNotFound, `There is no user ${input.user}, or they are erased already.`);
    if (user.name.toLowerCase() !== input.name.toLowerCase()) fail(NotConfirmed, `The login name of ${input.user} is not ${input.name}; give the right one to confirm that you mean this person.`);
    const memberships = await membershipsOf(db, userId);
    const needed: string[] = [];
    for (const { org_id, slug } of memberships) {
      if (isLast(await lockAdministrators(db, org_id), userId)) needed.push(slug);
    }
    if (needed.length > 0) {
      fail(LastAdministrator, `This is the only administrator of ${needed.join(", ")}; make another member administrator there, or delete the organization, first.`, { organizations: needed });
    }
    const { organizations, keys, sessions } = await erasePerson(db, userId, timestamp(clock));
    for (const orgId of organizations) {
      await events.append(eventOf(orgId, { type: MemberRemoved, subject: input.user, data: { organization: orgTypeId(orgId), erased: true } }));
    }
    const counts = { organizations: organizations.length, revokedKeys: keys, endedSessions: sessions };
    await events.append({ type: UserErased, subject: input.user, data: counts });
    return { erased: input.user, ...counts };
  },
});
