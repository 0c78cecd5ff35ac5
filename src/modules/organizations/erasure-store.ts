import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";

/**
 * The tables that have rows of organizations, as the catalogue knows them, each before those that it refers to: a row is
 * never removed while another one needs it, and no removal spreads by itself. Tables that refer to each other in a ring
 * come last, in any order.
 */
export async function tablesOfOrganizations(db: Db): Promise<string[]> {
  const tables = await db.many<{ name: string; needs: string[] }>(sql`
    select format('%I.%I', n.nspname, c.relname) as name, array(
      select distinct format('%I.%I', rn.nspname, r.relname) from pg_constraint k
      join pg_class r on r.oid = k.confrelid join pg_namespace rn on rn.oid = r.relnamespace
      where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid
    ) as needs
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped
    where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence = 'p' and n.nspname <> 'information_schema'
    order by 1`);
  const ordered: string[] = [];
  let left = tables;
  while (left.length > 0) {
    const free = left.filter(({ name }) => !left.some((other) => other.name !== name && other.needs.includes(name)));
    const next = free.length === 0 ? left : free;
    ordered.push(...next.map(({ name }) => name));
    left = left.filter((table) => !next.includes(table));
  }
  return ordered;
}

/** Removes at most `limit` rows of the organization, whose erasure must have begun; the number that it was. */
export async function eraseRows(db: Db, orgId: string, table: string, limit: number): Promise<number> {
  return (await db.one<{ removed: number }>(sql`select platform.erase_rows(${orgId}, ${table}::regclass, ${limit}) as removed`)).removed;
}

/** Tells every server, once the transaction has committed, that nothing of the organization may be kept in memory. */
export async function tellEnded(db: Db, orgId: string): Promise<void> {
  await db.run(sql`select pg_notify('organization_ended', ${orgId})`);
}
