import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Role } from "./roles.ts";

export interface InvitationRow {
  id: string;
  org_id: string;
  role: Role;
  email: string | null;
  invited_by: string;
  /** Of whoever invited, now; null where they are no member any more or disabled. */
  inviter_role: Role | null;
  created_at: Date;
  expires_at: Date;
  accepted_at: Date | null;
  accepted_by: string | null;
  revoked_at: Date | null;
}

const columns = sql`i.id, i.org_id, i.role, i.email, i.invited_by, i.created_at, i.expires_at, i.accepted_at, i.accepted_by, i.revoked_at, m.role as inviter_role`;
const inviter = sql`
  left join organizations.users u on u.id = i.invited_by and u.disabled_at is null
  left join organizations.memberships m on m.org_id = i.org_id and m.user_id = u.id`;

/** Invitations by id, after `after`. */
export async function invitationsOf(db: Db, orgId: string, page: { after: string; limit: number }): Promise<InvitationRow[]> {
  return db.many<InvitationRow>(sql`
    select ${columns} from organizations.invitations i ${inviter}
    where i.org_id = ${orgId} and i.id > ${page.after} order by i.id limit ${page.limit}`);
}

export async function invitationById(db: Db, orgId: string, id: string): Promise<InvitationRow | undefined> {
  return db.maybe<InvitationRow>(sql`select ${columns} from organizations.invitations i ${inviter} where i.org_id = ${orgId} and i.id = ${id}`);
}

export interface FoundInvitation extends InvitationRow {
  org_name: string;
  closed_at: Date | null;
  settings: Record<string, unknown>;
}

/** By the hash of its token, in whatever organization. */
export async function invitationByHash(db: Db, hash: Buffer): Promise<FoundInvitation | undefined> {
  return db.maybe<FoundInvitation>(sql`
    select ${columns}, o.name as org_name, o.closed_at, o.settings
    from organizations.invitations i ${inviter} join organizations.organizations o on o.id = i.org_id
    where i.hash = ${hash}`);
}
