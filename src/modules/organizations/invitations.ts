import type { Static } from "typebox";
import { grants } from "../../platform/actor.ts";
import { timestamp } from "../../platform/clock.ts";
import { fail, OrganizationClosed, PolicyDenied } from "../../platform/errors.ts";
import { randomText, tokenHash, type Random } from "../../platform/identity/tokens.ts";
import type { Context, PrepareContext } from "../../platform/operation/index.ts";
import { eventOf } from "./caller.ts";
import { InvitationNotFound, InvitationOver, MemberExists } from "./errors.ts";
import { MemberAdded } from "./events.ts";
import { invitationTypeId, orgTypeId, userTypeId } from "./ids.ts";
import { acceptInvitation } from "./invitation-store.ts";
import { invitationByHash, invitationById, type FoundInvitation, type InvitationRow } from "./invitation-views.ts";
import { permissionsOf } from "./roles.ts";
import type { Invitation, InvitationState } from "./schemas.ts";
import { signInLimits } from "./sign-in-limits.ts";
import { insertMembership } from "./store.ts";

const tokenLength = 52; // 260 bits

export function newInvitationToken(random?: Random): { token: string; hash: Buffer } {
  const token = randomText(tokenLength, random);
  return { token, hash: tokenHash(token) };
}

/** `now` in milliseconds. */
export function stateOf(row: InvitationRow, now: number): Static<typeof InvitationState> {
  if (row.accepted_at !== null) return "accepted";
  if (row.revoked_at !== null || !mayStillInvite(row)) return "revoked";
  return row.expires_at.getTime() <= now ? "expired" : "pending";
}

/** A link gives nothing that whoever made it could not give now: it does not outlive their membership or role. */
export function mayStillInvite({ role, inviter_role }: Pick<InvitationRow, "role" | "inviter_role">): boolean {
  if (inviter_role === null) return false;
  const held = permissionsOf(inviter_role, false);
  return ["members:write", ...permissionsOf(role, false)].every((permission) => grants(held, permission));
}

/** `now` in milliseconds. */
export function showInvitation(row: InvitationRow, now: number): Static<typeof Invitation> {
  return {
    id: invitationTypeId(row.id), role: row.role, ...(row.email === null ? {} : { email: row.email }), state: stateOf(row, now),
    invitedBy: userTypeId(row.invited_by), createdAt: row.created_at.toISOString(), expiresAt: row.expires_at.toISOString(),
    ...(row.accepted_at === null || row.accepted_by === null ? {} : { acceptedBy: userTypeId(row.accepted_by), acceptedAt: row.accepted_at.toISOString() }),
  };
}

/** The invitation that a link's token means. Wrong tokens count against the address; one that is right does not. */
export async function invitationOf(context: PrepareContext, token: string): Promise<FoundInvitation> {
  const right = signInLimits(context.clock).attempt("invitation", context.address);
  const found = await context.transaction((db) => invitationByHash(db, tokenHash(token)));
  if (found === undefined) fail(InvitationNotFound, "This link leads to no invitation; check that it is whole, or ask for another one.");
  right();
  return found;
}

/** As `invitationOf`, for one that can be accepted. */
export async function pendingInvitationOf(context: PrepareContext, token: string): Promise<FoundInvitation> {
  const found = await invitationOf(context, token);
  const state = stateOf(found, context.clock.now());
  if (state !== "pending") over(state);
  if (found.closed_at !== null) fail(OrganizationClosed, "The organization is being deleted; nobody joins it.");
  if (found.settings["readOnly"] === true) fail(PolicyDenied, "The organization is read-only; ask an administrator to lift it, then open the link again.", { reasons: ["organization-read-only"] });
  return found;
}

/** Makes the person a member and spends the invitation, both or neither; whoever invited must still have the right to. */
export async function join(context: Context, invitation: FoundInvitation, userId: string, created: boolean): Promise<void> {
  const { db } = context;
  const { id, org_id: orgId, role } = invitation;
  const at = timestamp(context.clock);
  const now = await invitationById(db, orgId, id);
  if (now === undefined || !mayStillInvite(now)) over("revoked");
  if (!(await insertMembership(db, { orgId, userId, role, at }))) fail(MemberExists, `You are a member of ${invitation.org_name} already; an administrator can change your role.`);
  if (!(await acceptInvitation(db, orgId, id, { by: userId, at }))) over("accepted");
  await context.events.append(eventOf(orgId, { type: MemberAdded, subject: userTypeId(userId), data: { organization: orgTypeId(orgId), role, created, invitation: invitationTypeId(id) } }));
}

function over(state: "accepted" | "expired" | "revoked"): never {
  fail(InvitationOver, `The invitation was ${state === "expired" ? "not used in time" : state}; ask whoever sent it for another one.`, { state });
}
