import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { InvitationNotFound, InvitationOver } from "../errors.ts";
import { InvitationRevoked } from "../events.ts";
import { InvitationId, invitationUuid } from "../ids.ts";
import { revokeInvitation as revoke } from "../invitation-store.ts";
import { invitationById } from "../invitation-views.ts";
import { showInvitation } from "../invitations.ts";
import { Invitation } from "../schemas.ts";

export const revokeInvitation = operation({
  id: "invitations.revoke",
  http: "DELETE /api/v1/invitations/{id}",
  cli: { name: "invitations revoke", positional: ["id"], columns: ["id", "role", "state"] },
  summary: "Revoke an invitation: its link leads nowhere from now on",
  permission: "members:write",
  effect: "destructive",
  input: Type.Object({ id: InvitationId }),
  output: Invitation,
  errors: [InvitationNotFound, InvitationOver],
  examples: [{ input: { id: "inv_01jd0000000000000000000000" } }],
  async handle(context, input) {
    const { db, orgId } = context;
    const id = invitationUuid(input.id);
    const at = timestamp(context.clock);
    const revoked = await revoke(db, orgId, id, at);
    const row = await invitationById(db, orgId, id);
    if (row === undefined) fail(InvitationNotFound, `${input.id} is not an invitation of this organization; qinfra invitations list shows them.`);
    if (row.accepted_at !== null) fail(InvitationOver, "The invitation was accepted; remove the member instead.", { state: "accepted" });
    if (revoked) await context.events.append({ type: InvitationRevoked, subject: input.id, data: { role: row.role } });
    return showInvitation(row, context.clock.now());
  },
});
