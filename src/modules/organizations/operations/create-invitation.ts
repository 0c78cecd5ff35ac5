import { Type } from "typebox";
import { operation } from "../../../platform/operation/index.ts";
import { mayGive, userOf } from "../caller.ts";
import { RoleTooWide } from "../errors.ts";
import { InvitationCreated } from "../events.ts";
import { invitationTypeId, userTypeId } from "../ids.ts";
import { insertInvitation } from "../invitation-store.ts";
import { newInvitationToken } from "../invitations.ts";
import { Email, Invitation, RoleName } from "../schemas.ts";

const hourMs = 3_600_000;
const usualHours = 7 * 24;

export const createInvitation = operation({
  id: "invitations.create",
  http: "POST /api/v1/invitations",
  cli: { name: "invitations create", positional: ["role"], columns: ["id", "role", "link", "expiresAt"] },
  summary: "Invite somebody by a link that makes one person a member",
  description: "The link is shown once, and nothing is sent: pass it on yourself. Who opens it first joins, with an account of theirs or a new one. It ends with your right to give the role.",
  permission: "members:write",
  effect: "change",
  answersSecret: true,
  without: { mcp: "the answer holds a secret, which is for a person" },
  input: Type.Object({
    role: RoleName,
    email: Type.Optional(Email),
    expiresInHours: Type.Optional(Type.Integer({ minimum: 1, maximum: 30 * 24, default: usualHours, description: "1 hour to 30 days" })),
  }),
  output: Type.Object({ ...Invitation.properties, link: Type.String({ description: "Shown once" }) }),
  errors: [RoleTooWide],
  creates: true,
  examples: [{ input: { role: "operator", email: "ada@example.com", expiresInHours: 48 } }],
  async prepare(context) {
    return context.publicUrl;
  },
  async handle(context, input, publicUrl) {
    mayGive(context.actor, input.role);
    const invitedBy = userOf(context.actor);
    const id = context.ids.uuid();
    const { token, hash } = newInvitationToken();
    const now = context.clock.now();
    const [at, expiresAt] = [now, now + (input.expiresInHours ?? usualHours) * hourMs].map((time) => new Date(time).toISOString()) as [string, string];
    await insertInvitation(context.db, { orgId: context.orgId, id, hash, role: input.role, email: input.email ?? null, invitedBy, at, expiresAt });
    await context.events.append({ type: InvitationCreated, subject: invitationTypeId(id), data: { role: input.role, expiresAt } });
    return {
      id: invitationTypeId(id), role: input.role, ...(input.email === undefined ? {} : { email: input.email }), state: "pending" as const,
      invitedBy: userTypeId(invitedBy), createdAt: at, expiresAt, link: `${publicUrl}/join/${token}`,
    };
  },
});
