import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Eligible } from "../../platform/approvals/index.ts";
import type { Role } from "./roles.ts";

/** Persons who are members, and those who were at some time since (milliseconds since 1970), each with the role of then. */
export async function eligiblePersons(db: Db, orgId: string, since: number): Promise<Eligible[]> {
  const rows = await db.many<{ user_id: string; role: Role; until: number | null }>(sql`
    select m.user_id, m.role, (extract(epoch from u.disabled_at) * 1000)::float8 as until
    from organizations.memberships m join organizations.users u on u.id = m.user_id
    where m.org_id = ${orgId} and u.kind = 'person' and (u.disabled_at is null or u.disabled_at > ${new Date(since).toISOString()})
    union all
    select p.user_id, p.role, (extract(epoch from p.until) * 1000)::float8
    from organizations.past_memberships p
    where p.org_id = ${orgId} and p.until > ${new Date(since).toISOString()}`);
  return rows.map(({ user_id, role, until }) => ({ userId: user_id, role, ...(until === null ? {} : { until }) }));
}

export interface MemberStanding {
  role: Role;
  is_platform: boolean;
  closes: number | null;
}

/** Of a person or a service account that is a member still; undefined for who is not, or is disabled. */
export function standingOfMember(db: Db, orgId: string, userId: string): Promise<MemberStanding | undefined> {
  return db.maybe<MemberStanding>(sql`
    select m.role, o.is_platform, (extract(epoch from o.due_at) * 1000)::float8 as closes
    from organizations.memberships m join organizations.users u on u.id = m.user_id and u.disabled_at is null
    join organizations.organizations o on o.id = m.org_id
    where m.org_id = ${orgId} and m.user_id = ${userId}`);
}

/** Who made the key: a person behind what it does, also where it acts as a service account. */
export async function makerOfKey(db: Db, orgId: string, keyId: string): Promise<string | undefined> {
  return (await db.maybe<{ created_by: string }>(sql`select created_by from organizations.api_keys where org_id = ${orgId} and id = ${keyId}`))?.created_by;
}

/** Scopes of a key that has not ended. */
export async function scopesOfKey(db: Db, orgId: string, keyId: string, now: string): Promise<string[] | undefined> {
  return (await db.maybe<{ scopes: string[] }>(sql`
    select scopes from organizations.api_keys where org_id = ${orgId} and id = ${keyId} and revoked_at is null and expires_at > ${now}`))?.scopes;
}
