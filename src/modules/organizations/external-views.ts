import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";

/** The user whom an issuer means by a subject. */
export async function userOfIdentity(db: Db, issuer: string, subject: string): Promise<string | undefined> {
  return (await db.maybe<{ user_id: string }>(sql`select user_id from organizations.user_identities where issuer = ${issuer} and subject = ${subject}`))?.user_id;
}

export interface Entrant {
  org_id: string;
  /** The user's own password, if there is one, is a one-time password. */
  one_time: boolean;
}

/** Where a session of the user would work: in the named organization, or in the one joined first. Undefined where there is none. */
export async function entrantOf(db: Db, userId: string, orgId: string | null): Promise<Entrant | undefined> {
  return db.maybe<Entrant>(sql`
    select m.org_id, coalesce(c.one_time, false) as one_time
    from organizations.users u
    left join organizations.password_credentials c on c.user_id = u.id
    join lateral (
      select org_id from organizations.memberships
      where user_id = u.id and (${orgId}::uuid is null or org_id = ${orgId}::uuid)
      order by created_at, org_id limit 1
    ) m on true
    where u.id = ${userId} and u.disabled_at is null and u.erased_at is null`);
}
