import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { AdministratorNeeded, MemberNotFound, OrganizationNotFound, PersonNeeded } from "../errors.ts";
import { MemberRoleSet, OrganizationTransferred } from "../events.ts";
import { OrganizationId, orgUuid, UserId, userTypeId, userUuid } from "../ids.ts";
import { secondFactorsOf } from "../second-factor-views.ts";
import { needConfirmation } from "../second-factor/enrolment.ts";
import { lockAdministrators, updateRole } from "../store.ts";
import { memberOf } from "../views.ts";

export const transferOrganization = operation({
  id: "organizations.transfer",
  http: "POST /api/v1/organizations/{id}/transfer",
  cli: { name: "organizations transfer", positional: ["id", "user"] },
  summary: "Hand the organization over: another member becomes administrator, you operator",
  description: "Where you have a second factor, you must have given it in the last five minutes.",
  permission: "organizations:write",
  effect: "change",
  without: { mcp: "who administers is decided by a person" },
  // A tenant's transaction does not reach second factors.
  database: "system",
  input: Type.Object({ id: OrganizationId, user: UserId }),
  output: Type.Object({ organization: OrganizationId, administrator: UserId, operator: UserId }),
  errors: [OrganizationNotFound, MemberNotFound, AdministratorNeeded, PersonNeeded],
  examples: [{ input: { id: "org_01jd0000000000000000000000", user: "usr_01jd0000000000000000000000" } }],
  async handle(context, input) {
    const { db, orgId } = context;
    const from = personOf(context.actor);
    const to = userUuid(input.user);
    if (orgUuid(input.id) !== orgId) fail(OrganizationNotFound, `${input.id} is not the organization that you work in.`);
    if ((await secondFactorsOf(db, from)).any) needConfirmation(context.actor, context.clock);
    const administrators = await lockAdministrators(db, orgId);
    if (!administrators.includes(from)) fail(AdministratorNeeded, "Only an administrator can hand the organization over; ask one.");
    const member = await memberOf(db, orgId, to);
    if (member === undefined || member.kind !== "person" || member.disabled_at !== null || to === from) {
      fail(MemberNotFound, `${input.user} is not another person here who can sign in; qinfra members list shows who is.`);
    }
    await updateRole(db, orgId, to, "admin");
    await updateRole(db, orgId, from, "operator");
    const organization = input.id;
    if (member.role !== "admin") await context.events.append({ type: MemberRoleSet, subject: input.user, data: { organization, from: member.role, to: "admin" } });
    await context.events.append({ type: MemberRoleSet, subject: userTypeId(from), data: { organization, from: "admin", to: "operator" } });
    await context.events.append({ type: OrganizationTransferred, subject: organization, data: { from: userTypeId(from), to: input.user } });
    return { organization, administrator: input.user, operator: userTypeId(from) };
  },
});
