import type { Db } from "../../platform/database/database.ts";
import { join, none, sql } from "../../platform/database/sql.ts";
import { toTypeId } from "../../platform/ids.ts";
import { shownOs } from "../software/index.ts";
import type { GoldenImage, ImageSource } from "./schemas.ts";

interface ImageRow {
  id: string;
  family: string;
  version: string;
  source: ImageSource;
  digest: string | null;
  os_id: string | null;
  os_version: string | null;
  os_name: string | null;
  component_set_id: string;
  packages: number;
  tags: Record<string, string>;
  created_at: Date;
}

const columns = sql`
  select i.id, f.name as family, i.version, i.source, i.digest, i.os_id, i.os_version, i.os_name, i.component_set_id, i.created_at,
    (select s.size from software.api_component_sets s where s.org_id = i.org_id and s.id = i.component_set_id) as packages,
    coalesce((select jsonb_object_agg(t.key, t.value) from images.image_tags t where t.org_id = i.org_id and t.image_id = i.id), '{}') as tags
  from images.golden_images i join images.golden_image_families f on f.org_id = i.org_id and f.id = i.family_id`;

export async function imageById(db: Db, id: string): Promise<(GoldenImage & { componentSetId: string }) | undefined> {
  const row = await db.maybe<ImageRow>(sql`${columns} where i.id = ${id}`);
  return row === undefined ? undefined : { ...toImage(row), componentSetId: row.component_set_id };
}

export interface ImageFilter {
  family?: string;
  tag?: { key: string; value: string };
  /** UUID of the last image of the page before. */
  after?: string;
  limit: number;
}

/** Newest first: ids are UUIDv7. */
export async function listImages(db: Db, filter: ImageFilter): Promise<GoldenImage[]> {
  const conditions = [
    sql`true`,
    ...(filter.family === undefined ? [] : [sql`f.name = ${filter.family}`]),
    ...(filter.after === undefined ? [] : [sql`i.id < ${filter.after}`]),
    ...(filter.tag === undefined ? [] : [sql`exists (select from images.image_tags t
      where t.org_id = i.org_id and t.image_id = i.id and t.key = ${filter.tag.key} and t.value = ${filter.tag.value})`]),
  ];
  const rows = await db.many<ImageRow>(sql`${columns} where ${join(conditions, " and ")} order by i.id desc limit ${filter.limit}`);
  return rows.map(toImage);
}

export interface ImageComponent {
  packageId: number;
  name: string;
  version?: string;
  purl?: string;
}

export async function listComponents(db: Db, imageId: string, page: { after?: number; limit: number }): Promise<ImageComponent[]> {
  const after = page.after === undefined ? none : sql`and package_id > ${page.after}`;
  const rows = await db.many<{ package_id: number; name: string; version: string | null; purl: string | null }>(sql`
    select package_id, name, version, purl from images.image_components where image_id = ${imageId} ${after} order by package_id limit ${page.limit}`);
  return rows.map((row) => ({
    packageId: row.package_id, name: row.name,
    ...(row.version === null ? {} : { version: row.version }),
    ...(row.purl === null ? {} : { purl: row.purl }),
  }));
}

export interface Family {
  name: string;
  images: number;
  latest: string | null;
}

export async function listFamilies(db: Db, page: { after?: string; limit: number }): Promise<Family[]> {
  const after = page.after === undefined ? none : sql`where f.name > ${page.after}`;
  return db.many<Family>(sql`
    select f.name, count(i.id)::int as images,
      (select l.version from images.golden_images l where l.org_id = f.org_id and l.family_id = f.id order by l.id desc limit 1) as latest
    from images.golden_image_families f left join images.golden_images i on i.org_id = f.org_id and i.family_id = f.id
    ${after} group by f.org_id, f.id, f.name order by f.name limit ${page.limit}`);
}

/** Component sets that images refer to, of every organization. */
export async function componentSetsOfImages(db: Db): Promise<{ orgId: string; id: string }[]> {
  const rows = await db.many<{ org_id: string; component_set_id: string }>(sql`select distinct org_id, component_set_id from images.api_images`);
  return rows.map((row) => ({ orgId: row.org_id, id: row.component_set_id }));
}

function toImage(row: ImageRow): GoldenImage {
  return {
    id: toTypeId("img", row.id), family: row.family, version: row.version, source: row.source, digest: row.digest,
    os: shownOs(row),
    packages: row.packages, tags: row.tags, createdAt: row.created_at.toISOString(),
  };
}
