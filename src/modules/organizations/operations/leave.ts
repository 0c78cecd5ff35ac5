import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { LastAdministrator, PersonNeeded } from "../errors.ts";
import { MemberRemoved } from "../events.ts";
import { OrganizationId, orgTypeId, userTypeId } from "../ids.ts";
import { isLast } from "../last-administrator.ts";
import { deleteMembership, lockAdministrators } from "../store.ts";

export const leave = operation({
  id: "members.leave",
  http: "DELETE /api/v1/members/me",
  cli: { name: "members leave" },
  summary: "Leave the organization that you work in; your API keys and sessions here end",
  permission: "self",
  reason: "everybody decides where they are a member",
  effect: "change",
  without: { mcp: "a program has no membership of its own" },
  database: "system",
  input: Type.Object({}),
  output: Type.Object({ organization: OrganizationId, revokedKeys: Type.Integer({ minimum: 0 }), endedSessions: Type.Integer({ minimum: 0 }) }),
  errors: [LastAdministrator, PersonNeeded],
  examples: [{ input: {} }],
  async handle(context) {
    const { db, orgId } = context;
    const userId = personOf(context.actor);
    const administrators = await lockAdministrators(db, orgId);
    if (isLast(administrators, userId)) fail(LastAdministrator, "You are the only administrator; hand the organization over first (organizations.transfer), or delete it.");
    const ended = await deleteMembership(db, orgId, userId, timestamp(context.clock));
    const counts = { revokedKeys: ended.keys, endedSessions: ended.sessions };
    const organization = orgTypeId(orgId);
    await context.events.append({ type: MemberRemoved, subject: userTypeId(userId), data: { organization, ...counts } });
    return { organization, ...counts };
  },
});
