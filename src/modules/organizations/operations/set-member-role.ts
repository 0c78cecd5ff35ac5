import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { mayGive } from "../caller.ts";
import { LastAdministrator, MemberNotFound, RoleTooWide } from "../errors.ts";
import { MemberRoleSet } from "../events.ts";
import { orgTypeId, UserId, userUuid } from "../ids.ts";
import { isLast } from "../last-administrator.ts";
import { Member, RoleName } from "../schemas.ts";
import { showMember } from "../shown.ts";
import { lockAdministrators, updateRole } from "../store.ts";
import { memberOf } from "../views.ts";

export const setMemberRole = operation({
  id: "members.set-role",
  http: "PUT /api/v1/members/{user}/role",
  cli: { name: "members set-role", positional: ["user", "role"] },
  summary: "Change a member's role",
  permission: "members:write",
  effect: "change",
  input: Type.Object({ user: UserId, role: RoleName }),
  output: Member,
  errors: [MemberNotFound, LastAdministrator, RoleTooWide],
  examples: [{ input: { user: "usr_01jd0000000000000000000000", role: "viewer" } }],
  async handle(context, input) {
    const { db, orgId } = context;
    mayGive(context.actor, input.role);
    const userId = userUuid(input.user);
    const administrators = await lockAdministrators(db, orgId);
    const member = await memberOf(db, orgId, userId);
    if (member === undefined) fail(MemberNotFound, `${input.user} is not a member of this organization.`);
    if (input.role !== "admin" && isLast(administrators, userId)) fail(LastAdministrator, "This is the only administrator; make another member administrator first.");
    if (member.role === input.role) return showMember(member);
    await updateRole(db, orgId, userId, input.role);
    await context.events.append({ type: MemberRoleSet, subject: input.user, data: { organization: orgTypeId(orgId), from: member.role, to: input.role } });
    return showMember({ ...member, role: input.role });
  },
});
