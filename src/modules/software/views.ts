import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Component } from "./component.ts";

/** The components of a set, by dictionary id. Empty for a set of another organization or one that is gone. */
export async function componentsOf(db: Db, setId: string): Promise<Component[]> {
  const rows = await db.many<{ name: string; version: string | null; purl: string | null }>(sql`
    select name, version, purl from software.api_components where component_set_id = ${setId} order by package_id`);
  return rows.map((row) => ({
    name: row.name,
    ...(row.version === null ? {} : { version: row.version }),
    ...(row.purl === null ? {} : { purl: row.purl }),
  }));
}

export async function componentSetIds(db: Db): Promise<{ orgId: string; id: string }[]> {
  const rows = await db.many<{ org_id: string; id: string }>(sql`select org_id, id from software.api_component_sets order by org_id, id`);
  return rows.map((row) => ({ orgId: row.org_id, id: row.id }));
}
