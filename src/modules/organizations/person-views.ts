import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";

/** The login name of a person or service account that is not erased, locked until the transaction ends. */
export async function livingUser(db: Db, userId: string): Promise<{ name: string } | undefined> {
  return db.maybe(sql`select name from organizations.users where id = ${userId} and erased_at is null for update`);
}

/** By organization id, so that two who lock the same organizations come one after the other. */
export async function membershipsOf(db: Db, userId: string): Promise<{ org_id: string; slug: string }[]> {
  return db.many(sql`
    select m.org_id, o.slug from organizations.memberships m join organizations.organizations o on o.id = m.org_id
    where m.user_id = ${userId} order by m.org_id`);
}
