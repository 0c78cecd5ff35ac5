import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { KeyedComponent } from "./component-keys.ts";

/** The set with this digest, marked as wanted so that the sweep leaves it; or undefined. */
export async function touchSet(db: Db, orgId: string, digest: Buffer, now: string): Promise<string | undefined> {
  const row = await db.maybe<{ id: string }>(sql`
    update software.component_sets set touched_at = ${now} where org_id = ${orgId} and digest = ${digest} returning id`);
  return row?.id;
}

/** Adds what the dictionary lacks; the ids of all keys, ascending. */
export async function internPackages(db: Db, orgId: string, components: readonly KeyedComponent[]): Promise<number[]> {
  const keys = components.map((component) => component.key);
  await db.run(sql`
    insert into software.packages (org_id, key, name, version, purl)
    select ${orgId}, c.key, c.name, c.version, c.purl
    from unnest(${keys}::text[], ${components.map((c) => c.name)}::text[], ${components.map((c) => c.version ?? null)}::text[], ${components.map((c) => c.purl ?? null)}::text[])
      as c(key, name, version, purl)
    where not exists (select from software.packages p where p.org_id = ${orgId} and p.key = c.key)
    order by c.key
    on conflict do nothing`);
  const rows = await db.many<{ id: number }>(sql`select id from software.packages where org_id = ${orgId} and key = any(${keys}) order by id`);
  return rows.map((row) => row.id);
}

export async function insertSet(db: Db, set: { orgId: string; id: string; digest: Buffer; packages: readonly number[]; now: string }): Promise<string> {
  const row = await db.one<{ id: string }>(sql`
    insert into software.component_sets (org_id, id, digest, size, packages, created_at, touched_at)
    values (${set.orgId}, ${set.id}, ${set.digest}, ${set.packages.length}, ${set.packages}::bigint[], ${set.now}, ${set.now})
    on conflict (org_id, digest) do update set touched_at = excluded.touched_at
    returning id`);
  return row.id;
}

/** Deletes sets that nobody has referred to since `before`; `used` are those that other modules refer to. */
export async function deleteUnusedSets(db: Db, before: string, used: ReadonlyArray<{ orgId: string; id: string }>): Promise<number> {
  return db.run(sql`
    delete from software.component_sets s where s.touched_at < ${before}
      and not exists (select from unnest(${used.map((u) => u.orgId)}::uuid[], ${used.map((u) => u.id)}::uuid[]) as u(org_id, id) where u.org_id = s.org_id and u.id = s.id)`);
}

/**
 * Waits until nobody interns, and holds newcomers off until the transaction ends. A set that is being made refers to
 * packages that no committed set may hold, and the array that it keeps them in cannot have a foreign key.
 */
export async function lockInterning(db: Db): Promise<void> {
  await db.run(sql`lock table software.component_sets in share row exclusive mode`);
}

export async function deleteUnusedPackages(db: Db): Promise<number> {
  return db.run(sql`
    delete from software.packages p where not exists (
      select from (select org_id, unnest(packages) as id from software.component_sets) used where used.org_id = p.org_id and used.id = p.id)`);
}
