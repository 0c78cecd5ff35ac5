import type { Db } from "../../platform/database/database.ts";
import { join, sql } from "../../platform/database/sql.ts";
import { toTypeId } from "../../platform/ids.ts";
import { shownOs } from "../software/index.ts";
import type { Asset, Facts } from "./schemas.ts";

interface AssetRow {
  id: string;
  name: string;
  kind: Asset["kind"];
  site: string | null;
  criticality: Asset["criticality"];
  exposure: Asset["exposure"];
  os_id: string | null;
  os_version: string | null;
  os_name: string | null;
  source: Asset["source"];
  component_set_id: string | null;
  packages: number | null;
  tags: Record<string, string>;
  facts: Facts;
  scanned_at: Date | null;
  created_at: Date;
}

const columns = sql`
  select a.id, a.name, a.kind, s.name as site, a.criticality, a.exposure, a.os_id, a.os_version, a.os_name, a.source, a.component_set_id,
    a.scanned_at, a.created_at, coalesce(f.facts, '{}') as facts,
    (select c.size from software.api_component_sets c where c.org_id = a.org_id and c.id = a.component_set_id) as packages,
    coalesce((select jsonb_object_agg(t.key, t.value) from inventory.asset_tags t where t.org_id = a.org_id and t.asset_id = a.id), '{}') as tags
  from inventory.assets a
  left join inventory.sites s on s.org_id = a.org_id and s.id = a.site_id
  left join inventory.fact_sets f on f.org_id = a.org_id and f.id = a.fact_set_id`;

export async function assetById(db: Db, id: string): Promise<(Asset & { componentSetId: string | null }) | undefined> {
  const row = await db.maybe<AssetRow>(sql`${columns} where a.id = ${id}`);
  return row === undefined ? undefined : { ...toAsset(row), componentSetId: row.component_set_id };
}

export interface AssetFilter {
  site?: string;
  tag?: { key: string; value: string };
  criticality?: string;
  exposure?: string;
  /** Name of the last asset of the page before. */
  after?: string;
  limit: number;
}

/** By name. */
export async function listAssets(db: Db, filter: AssetFilter): Promise<Asset[]> {
  const conditions = [
    sql`true`,
    ...(filter.site === undefined ? [] : [sql`s.name = ${filter.site}`]),
    ...(filter.criticality === undefined ? [] : [sql`a.criticality = ${filter.criticality}`]),
    ...(filter.exposure === undefined ? [] : [sql`a.exposure = ${filter.exposure}`]),
    ...(filter.after === undefined ? [] : [sql`a.name > ${filter.after}`]),
    ...(filter.tag === undefined ? [] : [sql`exists (select from inventory.asset_tags t
      where t.org_id = a.org_id and t.asset_id = a.id and t.key = ${filter.tag.key} and t.value = ${filter.tag.value})`]),
  ];
  const rows = await db.many<AssetRow>(sql`${columns} where ${join(conditions, " and ")} order by a.name limit ${filter.limit}`);
  return rows.map(toAsset);
}

export async function assetIdByName(db: Db, name: string): Promise<string | undefined> {
  return (await db.maybe<{ id: string }>(sql`select id from inventory.assets where name = ${name}`))?.id;
}

export async function siteIdByName(db: Db, name: string): Promise<string | undefined> {
  return (await db.maybe<{ id: string }>(sql`select id from inventory.sites where name = ${name}`))?.id;
}

/** Component sets that assets refer to, of every organization. */
export async function componentSetsOfAssets(db: Db): Promise<{ orgId: string; id: string }[]> {
  const rows = await db.many<{ org_id: string; component_set_id: string }>(sql`
    select distinct org_id, component_set_id from inventory.api_assets where component_set_id is not null`);
  return rows.map((row) => ({ orgId: row.org_id, id: row.component_set_id }));
}

function toAsset(row: AssetRow): Asset {
  return {
    id: toTypeId("ast", row.id), name: row.name, kind: row.kind, site: row.site, criticality: row.criticality, exposure: row.exposure,
    os: shownOs(row),
    source: row.source, packages: row.packages, tags: row.tags, facts: row.facts,
    scannedAt: row.scanned_at?.toISOString() ?? null, createdAt: row.created_at.toISOString(),
  };
}
