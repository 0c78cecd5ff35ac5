import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { ImageSource } from "./schemas.ts";

export interface NewImage {
  orgId: string;
  id: string;
  familyId: string;
  version: string;
  source: ImageSource;
  digest: string | null;
  os: { id: string; versionId: string; prettyName?: string } | null;
  componentSetId: string;
  now: string;
}

/** The family's id, made where it is new. */
export async function ensureFamily(db: Db, family: { orgId: string; id: string; name: string; now: string }): Promise<string> {
  const row = await db.one<{ id: string }>(sql`
    insert into images.golden_image_families (org_id, id, name, description, created_at)
    values (${family.orgId}, ${family.id}, ${family.name}, '', ${family.now})
    on conflict (org_id, name) do update set name = excluded.name
    returning id`);
  return row.id;
}

/** False where the family has this version already. */
export async function insertImage(db: Db, image: NewImage): Promise<boolean> {
  const rows = await db.run(sql`
    insert into images.golden_images (org_id, id, family_id, version, source, digest, os_id, os_version, os_name, component_set_id, created_at)
    values (${image.orgId}, ${image.id}, ${image.familyId}, ${image.version}, ${image.source}, ${image.digest},
      ${image.os?.id ?? null}, ${image.os?.versionId ?? null}, ${image.os?.prettyName ?? null}, ${image.componentSetId}, ${image.now})
    on conflict (org_id, family_id, version) do nothing`);
  return rows === 1;
}

export async function replaceTags(db: Db, orgId: string, imageId: string, tags: Record<string, string>): Promise<void> {
  // Who sets them at the same time comes after: neither sees what the other is about to write.
  await db.run(sql`select pg_advisory_xact_lock(hashtextextended(${`images.tags ${imageId}`}, 0))`);
  await db.run(sql`delete from images.image_tags where image_id = ${imageId}`);
  await db.run(sql`
    insert into images.image_tags (org_id, image_id, key, value)
    select ${orgId}, ${imageId}, key, value from unnest(${Object.keys(tags)}::text[], ${Object.values(tags)}::text[]) as t(key, value)`);
}

export async function deleteImage(db: Db, imageId: string): Promise<boolean> {
  return (await db.run(sql`delete from images.golden_images where id = ${imageId}`)) === 1;
}
