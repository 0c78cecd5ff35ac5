import { randomBytes } from "node:crypto";
import { join } from "node:path";
import pg from "pg";
import { inject, afterAll, beforeAll, expect, it } from "vitest";
import { migrate, readMigrations } from "../../platform/database/migrate.ts";

const seed = "202611220120__organizations_usage.sql";
const one = "01a1fe85-0000-7000-8000-000000000001";
const two = "01a1fe85-0000-7000-8000-000000000002";
const name = `t_${randomBytes(6).toString("hex")}`;
let admin: pg.Client;
let superuser: pg.Client;
beforeAll(async () => {
  const cluster = inject("postgres");
  if ("error" in cluster) throw new Error(cluster.error);
  admin = new pg.Client({ ...cluster, database: "postgres" });
  await admin.connect();
  await admin.query(`create database ${name}`);
  superuser = new pg.Client({ ...cluster, database: name });
  await superuser.connect();
});
afterAll(async () => {
  await superuser.end();
  await admin.query(`drop database ${name} with (force)`);
  await admin.end();
});

it("given a database of before, when quotas come, then what is there counts, and row level security is as it was", async () => {
  const migrations = await readMigrations(join(import.meta.dirname, "../../../migrations"));
  const at = migrations.findIndex((migration) => migration.name === seed);
  await migrate(superuser, migrations.slice(0, at));
  for (const [org, assets, images] of [[one, 3, 0], [two, 1, 2]] as const) {
    await superuser.query(`insert into images.golden_image_families values ($1, $1, 'base', '', now())`, [org]);
    await superuser.query(`insert into inventory.assets (org_id, id, name, kind, criticality, exposure, source, created_at, updated_at)
      select $1, gen_random_uuid(), 'host-' || n, 'host', 'unknown', 'unknown', 'import', now(), now() from generate_series(1, $2::int) n`, [org, assets]);
    await superuser.query(`insert into images.golden_images (org_id, id, family_id, version, source, component_set_id, created_at)
      select $1, gen_random_uuid(), $1, n::text, 'sbom', gen_random_uuid(), now() from generate_series(1, $2::int) n`, [org, images]);
  }
  expect(await migrate(superuser, migrations)).toContain(seed);
  const { rows } = await superuser.query("select org_id, resource, period, used::int from platform.usage order by org_id, resource");
  expect(rows).toEqual([
    { org_id: one, resource: "assets", period: "", used: 3 },
    { org_id: two, resource: "assets", period: "", used: 1 },
    { org_id: two, resource: "images", period: "", used: 2 },
  ]);
  const { rows: open } = await superuser.query("select oid::regclass::text as name from pg_class where oid = any(array['inventory.assets', 'images.golden_images', 'platform.usage']::regclass[]) and not relforcerowsecurity");
  expect(open).toEqual([]);
});
