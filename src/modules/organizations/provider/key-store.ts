import type { Db } from "../../../platform/database/database.ts";
import { sql } from "../../../platform/database/sql.ts";

const making = 7_126_034; // any constant: one server at a time makes a key

export async function lockProviderKeys(db: Db): Promise<void> {
  await db.run(sql`select pg_advisory_xact_lock(${making})`);
}

/** Keys that still count, the newest first. */
export async function providerKeys(db: Db, now: string): Promise<{ id: string; sealed: string; created_at: Date }[]> {
  return db.many(sql`
    select id, sealed, created_at from organizations.oidc_keys where retires_at is null or retires_at > ${now}
    order by retires_at desc nulls first, created_at desc, id desc limit 100`);
}

/** The key signs from now on; those before it go at `retiresAt`. */
export async function putProviderKey(db: Db, key: { id: string; sealed: string; at: string; retiresAt: string }): Promise<void> {
  await db.run(sql`update organizations.oidc_keys set retires_at = ${key.retiresAt} where retires_at is null`);
  await db.run(sql`insert into organizations.oidc_keys (id, sealed, created_at) values (${key.id}, ${key.sealed}, ${key.at})`);
}

export async function sweepProviderKeys(db: Db, now: string): Promise<number> {
  return db.run(sql`delete from organizations.oidc_keys where retires_at <= ${now}`);
}
