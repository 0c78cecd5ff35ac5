import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../src/platform/testing/database.ts";
import { catalogueRules, found, globalTables } from "./catalogue-rules.ts";

let test: TestDatabase;
let superuser: pg.Client;
beforeAll(async () => {
  test = await testDatabase();
  superuser = await test.connect("superuser");
  await superuser.query("select events.ensure_partitions('2026-11-01', 2)");
});
afterAll(async () => {
  await superuser.end();
  await test.close();
});

describe.each(catalogueRules)("$rule", (rule) => {
  it(`holds: ${rule.why}`, async () => {
    const all = await found(superuser, rule);
    expect(all.filter((what) => rule.except?.[what] === undefined)).toEqual([]);
    expect(Object.keys(rule.except ?? {}).filter((what) => !all.includes(what))).toEqual([]); // exceptions that are not needed any more
  });
});

it("the tables that are listed as for everybody are there", async () => {
  for (const table of Object.keys(globalTables)) {
    const { rows } = await superuser.query<{ there: boolean }>("select to_regclass($1) is not null as there", [table]);
    expect([table, rows[0]?.there]).toEqual([table, true]);
  }
});

/** A table as it should be, with `more` in its columns. */
const good = (more: string) => `
  create table images.scratch (org_id uuid not null, id uuid not null, image_id uuid not null, primary key (org_id, id)${more});
  create index scratch_image on images.scratch (org_id, image_id);
  alter table images.scratch enable row level security; alter table images.scratch force row level security;
  create policy tenant on images.scratch using (org_id = platform.current_org()) with check (org_id = platform.current_org());`;

/** What each rule must find: a change to the schema that is against it, and what it then says. */
const wrong: readonly { rule: number; change: string; what: string }[] = [
  [0, "alter table images.image_tags disable row level security", "images.image_tags"],
  [0, "alter table images.image_tags no force row level security", "images.image_tags"],
  [1, "drop policy tenant on images.image_tags", "images.image_tags"],
  [1, "create policy everything on images.image_tags using (true)", "images.image_tags"],
  [1, "drop policy tenant on images.image_tags; create policy tenant on images.image_tags using (org_id = platform.current_org() or true) with check (org_id = platform.current_org())", "images.image_tags"],
  [1, "drop policy tenant on images.image_tags; create policy tenant on images.image_tags using (org_id = platform.current_org()) with check (true)", "images.image_tags"],
  [1, "drop policy tenant on images.image_tags; create policy tenant on images.image_tags for select using (org_id = platform.current_org())", "images.image_tags"],
  [2, "alter table images.image_tags drop constraint image_tags_pkey; alter table images.image_tags alter org_id drop not null", "images.image_tags"],
  [3, "create unique index scratch on images.image_tags (key, value)", "images.scratch"],
  [3, `${good(", unique (image_id)")}`, "images.scratch_image_id_key"],
  [4, `create unique index bare on images.golden_images (id); ${good(", constraint bare foreign key (image_id) references images.golden_images (id)")}`, "images.scratch bare"],
  [4, `alter table images.golden_images add constraint turned unique (id, org_id); ${good(", constraint crossed foreign key (org_id, image_id) references images.golden_images (id, org_id)")}`, "images.scratch crossed"],
  [5, `${good(", version_id uuid references vulnerabilities.feed_versions (id)")}`, "images.scratch -> vulnerabilities.feed_versions"],
  [6, "create view images.api_scratch as select * from images.golden_images", "images.api_scratch"],
  [6, "create view images.api_scratch with (security_invoker = false) as select * from images.golden_images", "images.api_scratch"],
  [7, "create materialized view images.api_scratch as select * from images.golden_images", "images.api_scratch"],
  [8, "create table images.scratch (id uuid primary key)", "images.scratch"],
  [9, "grant insert on vulnerabilities.advisories to qinfra_app", "vulnerabilities.advisories: INSERT"],
  [9, "grant update (summary) on vulnerabilities.advisories to qinfra_app", "vulnerabilities.advisories: UPDATE"],
  [9, "grant select on organizations.password_credentials to qinfra_app", "organizations.password_credentials: SELECT"],
  [9, "create table images.scratch (id uuid primary key); grant select on images.scratch to qinfra_app", "images.scratch: SELECT"],
  [10, "alter table organizations.users disable row level security", "organizations.users"],
  [11, "grant truncate on images.golden_images to qinfra_app", "images.golden_images: TRUNCATE"],
  [12, "alter table images.image_tags owner to qinfra_app", "images.image_tags"],
  [12, "create function images.f() returns int language sql as 'select 1'; alter function images.f owner to qinfra_system", "images.f()"],
  [13, "alter role qinfra_app bypassrls", "qinfra_app passes row level security"],
  [13, "grant qinfra_system to qinfra_app", "qinfra_app is a member of qinfra_system"],
  [13, "alter role qinfra_owner login", "qinfra_owner signs in"],
  [14, "grant create on schema images to qinfra_app", "qinfra_app in images"],
  [15, "alter table events.log_202612 disable row level security", "events.log_202612"],
  [15, "grant select on events.log_202612 to qinfra_app", "events.log_202612"],
  [16, "create function images.f() returns int language sql security definer as 'select 1'", "images.f()"],
  [16, "create function images.f() returns int language sql security definer set search_path = pg_catalog as 'select 1'", "images.f()"],
  [17, "grant select on images.api_images to public", "images.api_images"],
  [17, "grant usage on schema images to public", "schema images"],
  [18, "alter table images.image_tags add column at timestamp", "images.image_tags.at"],
  [18, "alter table images.image_tags add column code varchar(5)", "images.image_tags.code"],
  [19, `${good(", constraint slow foreign key (org_id, image_id) references images.golden_images (org_id, id)")} drop index images.scratch_image`, "images.scratch slow"],
].map(([rule, change, what]) => ({ rule: rule as number, change: change as string, what: what as string }));

describe("the rules find what is wrong", () => {
  it("has a wrong schema for each rule", () => {
    expect([...new Set(wrong.map(({ rule }) => rule))]).toEqual(catalogueRules.map((_, i) => i));
  });

  it.each(wrong)("$change", async ({ rule, change, what }) => {
    const checked = catalogueRules[rule];
    if (checked === undefined) throw new Error(`there is no rule ${rule}`);
    await superuser.query("begin"); // roles too change back with it
    try {
      const before = await found(superuser, checked);
      await superuser.query(change);
      const after = await found(superuser, checked);
      expect(after.filter((one) => !before.includes(one))).toEqual([what]);
    } finally {
      await superuser.query("rollback");
    }
  });

  it("and nothing where a table is as it should be", async () => {
    await superuser.query("begin");
    try {
      await superuser.query(good(", constraint whole foreign key (org_id, image_id) references images.golden_images (org_id, id)"));
      for (const rule of catalogueRules) expect((await found(superuser, rule)).filter((what) => rule.except?.[what] === undefined)).toEqual([]);
    } finally {
      await superuser.query("rollback");
    }
  });
});

describe("row level security as a tenant meets it", () => {
  it("shows nothing and takes nothing outside an organization", async () => {
    const app = await test.connect("qinfra_app");
    try {
      const { rows } = await superuser.query<{ name: string }>(`select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id' where c.relkind in ('r', 'p', 'v') and not c.relispartition and has_table_privilege('qinfra_app', c.oid, 'select') order by 1`);
      expect(rows.length).toBeGreaterThan(20);
      for (const { name } of rows) expect([name, (await app.query(`select from ${name}`)).rowCount]).toEqual([name, 0]);
      const site = "insert into inventory.sites (org_id, id, name, created_at) values (gen_random_uuid(), gen_random_uuid(), 'a', now())";
      await expect(app.query(site)).rejects.toThrow("row-level security");
      await app.query("begin; set local app.org_id = '01a1fe85-0000-7000-8000-000000000001'");
      await expect(app.query(site)).rejects.toThrow("row-level security");
      await app.query("rollback");
    } finally {
      await app.end();
    }
  });
});
