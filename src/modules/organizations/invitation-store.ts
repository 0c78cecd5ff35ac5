import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Role } from "./roles.ts";

export interface NewInvitation {
  orgId: string;
  id: string;
  hash: Buffer;
  role: Role;
  email: string | null;
  invitedBy: string;
  at: string;
  expiresAt: string;
}

export async function insertInvitation(db: Db, invitation: NewInvitation): Promise<void> {
  await db.run(sql`
    insert into organizations.invitations (org_id, id, hash, role, email, invited_by, created_at, expires_at)
    values (${invitation.orgId}, ${invitation.id}, ${invitation.hash}, ${invitation.role}, ${invitation.email}, ${invitation.invitedBy}, ${invitation.at}, ${invitation.expiresAt})`);
}

/** False when it was accepted or revoked before. */
export async function revokeInvitation(db: Db, orgId: string, id: string, at: string): Promise<boolean> {
  const revoked = await db.run(sql`
    update organizations.invitations set revoked_at = ${at} where org_id = ${orgId} and id = ${id} and accepted_at is null and revoked_at is null`);
  return revoked === 1;
}

/** Spends the invitation, whose address is the person's own from then on; false when somebody was faster, or it is over. */
export async function acceptInvitation(db: Db, orgId: string, id: string, accepted: { by: string; at: string }): Promise<boolean> {
  const spent = await db.run(sql`
    update organizations.invitations set accepted_at = ${accepted.at}, accepted_by = ${accepted.by}, email = null
    where org_id = ${orgId} and id = ${id} and accepted_at is null and revoked_at is null and expires_at > ${accepted.at}`);
  return spent === 1;
}
