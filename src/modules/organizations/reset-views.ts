import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";

/** Who wants to give somebody else a new password, and what decides on it. */
export interface ResetStanding {
  /** The one administers every organization of the other, of which there is at least one. */
  administersAll: boolean;
  /** Administers the platform organization. */
  administersPlatform: boolean;
  /** The other has a password here, and is not disabled. */
  hasPassword: boolean;
}

/** A disabled administrator administers nothing. */
export async function resetStanding(db: Db, adminId: string, userId: string): Promise<ResetStanding> {
  return db.one<ResetStanding>(sql`
    with mine as (
      select m.org_id, o.is_platform from organizations.memberships m
      join organizations.users u on u.id = m.user_id and u.disabled_at is null
      join organizations.organizations o on o.id = m.org_id
      where m.user_id = ${adminId} and m.role = 'admin'
    ), theirs as (select org_id from organizations.memberships where user_id = ${userId})
    select
      exists (select 1 from theirs) and not exists (select 1 from theirs t where t.org_id not in (select org_id from mine)) as "administersAll",
      exists (select 1 from mine where is_platform) as "administersPlatform",
      exists (
        select 1 from organizations.password_credentials c join organizations.users u on u.id = c.user_id
        where c.user_id = ${userId} and u.disabled_at is null
      ) as "hasPassword"`);
}

export async function userById(db: Db, userId: string): Promise<{ id: string; name: string; disabled_at: Date | null } | undefined> {
  return db.maybe(sql`select id, name, disabled_at from organizations.users where id = ${userId} and erased_at is null`);
}
