import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Role } from "./roles.ts";
import type { MemberRow } from "./views.ts";

/** A user without a password or identity, so that nobody signs in as it. Its login name is its id, which no person has. */
export async function insertServiceAccount(db: Db, account: { id: string; orgId: string; name: string; role: Role; at: string }): Promise<void> {
  await db.run(sql`
    insert into organizations.users (id, name, display_name, kind, created_at)
    values (${account.id}, ${account.id}, ${account.name}, 'service', ${account.at})`);
  await db.run(sql`
    insert into organizations.memberships (org_id, user_id, role, created_at)
    values (${account.orgId}, ${account.id}, ${account.role}, ${account.at})`);
}

/** Service accounts by user id, after `after`. */
export async function serviceAccountsOf(db: Db, orgId: string, page: { after: string; limit: number }): Promise<MemberRow[]> {
  return db.many<MemberRow>(sql`
    select m.user_id, u.name, u.display_name, u.email, u.kind, m.role, u.disabled_at, m.created_at
    from organizations.memberships m join organizations.users u on u.id = m.user_id
    where m.org_id = ${orgId} and u.kind = 'service' and m.user_id > ${page.after}
    order by m.user_id limit ${page.limit}`);
}

/** Disables the account and revokes its keys; the number of keys. */
export async function disableServiceAccount(db: Db, orgId: string, id: string, at: string): Promise<number> {
  await db.run(sql`update organizations.users set disabled_at = ${at} where id = ${id} and kind = 'service' and disabled_at is null`);
  return db.run(sql`
    update organizations.api_keys set revoked_at = ${at}
    where org_id = ${orgId} and acts_as = ${id} and revoked_at is null and expires_at > ${at}`);
}
