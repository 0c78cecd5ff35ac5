import { Type } from "typebox";
import { operation } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { InvitationNotFound, InvitationOver, MemberExists, PersonNeeded } from "../errors.ts";
import { OrganizationId, orgTypeId } from "../ids.ts";
import { join, pendingInvitationOf } from "../invitations.ts";
import { InvitationToken, RoleName } from "../schemas.ts";

export const acceptInvitation = operation({
  id: "invitations.accept",
  http: "POST /api/v1/invitations/accept",
  summary: "Join an organization with the account that you are signed in with",
  permission: "self",
  reason: "the link is the right to join, and everybody decides where they are a member",
  effect: "change",
  without: { mcp: "a person joins an organization, not a program", cli: "a secret is no argument of a command; the link opens in a browser" },
  database: "system",
  input: Type.Object({ token: InvitationToken }),
  output: Type.Object({ organization: OrganizationId, role: RoleName }),
  errors: [InvitationNotFound, InvitationOver, MemberExists, PersonNeeded],
  examples: [{ input: { token: "0123456789abcdefghjkmnpqrstvwxyz0123456789abcdefghjk" } }],
  async prepare(context, input) {
    personOf(context.actor);
    return pendingInvitationOf(context, input.token);
  },
  async handle(context, _input, invitation) {
    await join(context, invitation, personOf(context.actor), false);
    return { organization: orgTypeId(invitation.org_id), role: invitation.role };
  },
});
