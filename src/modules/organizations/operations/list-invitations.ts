import { Type } from "typebox";
import { operation, Page, paging } from "../../../platform/operation/index.ts";
import { invitationsOf } from "../invitation-views.ts";
import { showInvitation } from "../invitations.ts";
import { pageOf, pageWith } from "../paging.ts";
import { Invitation } from "../schemas.ts";

export const listInvitations = operation({
  id: "invitations.list",
  http: "GET /api/v1/invitations",
  cli: { name: "invitations list", columns: ["id", "role", "email", "state", "invitedBy", "expiresAt"] },
  summary: "Invitations of the organization, without their links",
  permission: "members:read",
  effect: "read",
  input: Type.Object({ ...paging }),
  output: Page(Invitation),
  examples: [{ input: {} }],
  async handle(context, input) {
    const page = pageOf("inv", input);
    const rows = await invitationsOf(context.db, context.orgId, page);
    return pageWith(rows.map((row) => showInvitation(row, context.clock.now())), page.limit, (invitation) => invitation.id);
  },
});
