import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { eventOf, personOf } from "../caller.ts";
import { LastAdministrator, OrganizationNotFound, PersonNeeded } from "../errors.ts";
import { MemberRemoved } from "../events.ts";
import { OrganizationId, orgUuid, userTypeId } from "../ids.ts";
import { isLast } from "../last-administrator.ts";
import { deleteMembership, lockAdministrators } from "../store.ts";
import { memberOf } from "../views.ts";

export const leave = operation({
  id: "members.leave",
  http: "DELETE /api/v1/organizations/{id}/members/me",
  cli: { name: "members leave", positional: ["id"] },
  summary: "Leave an organization; your API keys and sessions there end",
  permission: "self",
  reason: "everybody decides where they are a member",
  effect: "change",
  without: { mcp: "a program has no membership of its own" },
  database: "system",
  input: Type.Object({ id: OrganizationId }),
  output: Type.Object({ organization: OrganizationId, revokedKeys: Type.Integer({ minimum: 0 }), endedSessions: Type.Integer({ minimum: 0 }) }),
  errors: [OrganizationNotFound, LastAdministrator, PersonNeeded],
  examples: [{ input: { id: "org_01jd0000000000000000000000" } }],
  async handle(context, input) {
    const { db } = context;
    const userId = personOf(context.actor);
    const orgId = orgUuid(input.id);
    if ((await memberOf(db, orgId, userId)) === undefined) fail(OrganizationNotFound, `You are not a member of ${input.id}; qinfra whoami shows where you are.`);
    const administrators = await lockAdministrators(db, orgId);
    if (isLast(administrators, userId)) fail(LastAdministrator, "You are the only administrator; hand the organization over first (organizations.transfer), or delete it.");
    const ended = await deleteMembership(db, orgId, userId, timestamp(context.clock));
    const counts = { revokedKeys: ended.keys, endedSessions: ended.sessions };
    await context.events.append(eventOf(orgId, { type: MemberRemoved, subject: userTypeId(userId), data: { organization: input.id, ...counts } }));
    return { organization: input.id, ...counts };
  },
});
