import { createHash } from "node:crypto";
import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import { canonicalJson } from "../../platform/operation/canonical.ts";
import type { Asset, Facts } from "./schemas.ts";

export interface RecordedAsset {
  orgId: string;
  /** Used when the asset is new. */
  id: string;
  name: string;
  kind: Asset["kind"];
  os: { id: string; versionId: string; prettyName?: string } | null;
  source: Asset["source"];
  componentSetId: string;
  factSetId: string;
  now: string;
}

/** Facts are content-addressed: equal ones share a row. */
export async function internFacts(db: Db, set: { orgId: string; id: string; facts: Facts }): Promise<string> {
  const text = canonicalJson(set.facts);
  const digest = createHash("sha256").update(text).digest();
  const row = await db.one<{ id: string }>(sql`
    insert into inventory.fact_sets (org_id, id, digest, facts) values (${set.orgId}, ${set.id}, ${digest}, ${text})
    on conflict (org_id, digest) do update set digest = excluded.digest returning id`);
  return row.id;
}

/** Makes the asset or brings the one of this name up to date; its id. What people set by hand stays. */
export async function recordAsset(db: Db, asset: RecordedAsset): Promise<string> {
  const { os } = asset;
  const row = await db.one<{ id: string }>(sql`
    insert into inventory.assets (org_id, id, name, kind, criticality, exposure, os_id, os_version, os_name, source,
      component_set_id, fact_set_id, scanned_at, created_at, updated_at)
    values (${asset.orgId}, ${asset.id}, ${asset.name}, ${asset.kind}, 'unknown', 'unknown', ${os?.id ?? null}, ${os?.versionId ?? null},
      ${os?.prettyName ?? null}, ${asset.source}, ${asset.componentSetId}, ${asset.factSetId}, ${asset.now}, ${asset.now}, ${asset.now})
    on conflict (org_id, name) do update set os_id = excluded.os_id, os_version = excluded.os_version, os_name = excluded.os_name,
      source = excluded.source, component_set_id = excluded.component_set_id, fact_set_id = excluded.fact_set_id,
      scanned_at = excluded.scanned_at, updated_at = excluded.updated_at
    returning id`);
  return row.id;
}

export interface AssetChanges {
  kind?: Asset["kind"];
  criticality?: Asset["criticality"];
  exposure?: Asset["exposure"];
  /** UUID, or null to take the asset out of its site. */
  siteId?: string | null;
}

export async function updateAsset(db: Db, id: string, changes: AssetChanges, now: string): Promise<boolean> {
  const rows = await db.run(sql`
    update inventory.assets set
      kind = coalesce(${changes.kind ?? null}, kind),
      criticality = coalesce(${changes.criticality ?? null}, criticality),
      exposure = coalesce(${changes.exposure ?? null}, exposure),
      site_id = case when ${changes.siteId === undefined} then site_id else ${changes.siteId ?? null}::uuid end,
      updated_at = ${now}
    where id = ${id}`);
  return rows === 1;
}

export async function replaceAssetTags(db: Db, orgId: string, assetId: string, tags: Record<string, string>): Promise<void> {
  await db.run(sql`delete from inventory.asset_tags where asset_id = ${assetId}`);
  await db.run(sql`
    insert into inventory.asset_tags (org_id, asset_id, key, value)
    select ${orgId}, ${assetId}, key, value from unnest(${Object.keys(tags)}::text[], ${Object.values(tags)}::text[]) as t(key, value)`);
}

export async function deleteAsset(db: Db, id: string): Promise<boolean> {
  return (await db.run(sql`delete from inventory.assets where id = ${id}`)) === 1;
}
