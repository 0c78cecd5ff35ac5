import { Type } from "typebox";
import { operation } from "../../../platform/operation/index.ts";
import { InvitationNotFound } from "../errors.ts";
import { invitationOf, stateOf } from "../invitations.ts";
import { InvitationState, InvitationToken, RoleName, Time } from "../schemas.ts";

export const lookUpInvitation = operation({
  id: "invitations.look-up",
  http: "POST /api/v1/invitations/look-up",
  summary: "What the link of an invitation leads to",
  permission: "public",
  reason: "whoever holds a link has to know what it leads to before they have an account",
  effect: "read",
  without: { mcp: "a person joins an organization, not a program", cli: "a secret is no argument of a command; the link opens in a browser" },
  database: "system",
  input: Type.Object({ token: InvitationToken }),
  output: Type.Object({ organization: Type.String({ description: "Its name" }), role: RoleName, state: InvitationState, expiresAt: Time }),
  errors: [InvitationNotFound],
  examples: [{ input: { token: "0123456789abcdefghjkmnpqrstvwxyz0123456789abcdefghjk" } }],
  async prepare(context, input) {
    return invitationOf(context, input.token);
  },
  async handle(context, _input, found) {
    return { organization: found.org_name, role: found.role, state: stateOf(found, context.clock.now()), expiresAt: found.expires_at.toISOString() };
  },
});
