import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { LastAdministrator, MemberNotFound } from "../errors.ts";
import { MemberRemoved } from "../events.ts";
import { orgTypeId, UserId, userUuid } from "../ids.ts";
import { isLast } from "../last-administrator.ts";
import { deleteMembership, lockAdministrators } from "../store.ts";
import { memberOf } from "../views.ts";

export const removeMember = operation({
  id: "members.remove",
  http: "DELETE /api/v1/members/{user}",
  cli: { name: "members remove", positional: ["user"] },
  summary: "Remove a member; their API keys and sessions here end with it",
  permission: "members:write",
  effect: "destructive",
  database: "system",
  input: Type.Object({ user: UserId }),
  output: Type.Object({ user: UserId, revokedKeys: Type.Integer({ minimum: 0 }), endedSessions: Type.Integer({ minimum: 0 }) }),
  errors: [MemberNotFound, LastAdministrator],
  examples: [{ input: { user: "usr_01jd0000000000000000000000" } }],
  async handle(context, input) {
    const { db, orgId } = context;
    const userId = userUuid(input.user);
    const administrators = await lockAdministrators(db, orgId);
    if ((await memberOf(db, orgId, userId)) === undefined) fail(MemberNotFound, `${input.user} is not a member of this organization.`);
    if (isLast(administrators, userId)) fail(LastAdministrator, "This is the only administrator; make another member administrator first.");
    const ended = await deleteMembership(db, orgId, userId, timestamp(context.clock));
    const counts = { revokedKeys: ended.keys, endedSessions: ended.sessions };
    await context.events.append({ type: MemberRemoved, subject: input.user, data: { organization: orgTypeId(orgId), ...counts } });
    return { user: input.user, ...counts };
  },
});
