import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dumpSchema } from "../platform/database/schema-dump.ts";
import { testDatabase, type TestDatabase } from "../platform/testing/database.ts";
import { packageRoot } from "./root.ts";
import { schemaFile } from "./schema-golden.ts";

let test: TestDatabase;
let superuser: pg.Client;
beforeAll(async () => {
  test = await testDatabase();
  superuser = await test.connect("superuser");
});
afterAll(async () => {
  await superuser.end();
  await test.close();
});

describe("schema.sql", () => {
  it("is what the migrations make", async () => {
    expect(schemaFile(await dumpSchema(superuser))).toBe(await readFile(join(packageRoot(), "schema.sql"), "utf8"));
  });

  it("does not depend on the month in which it is written", async () => {
    const before = await dumpSchema(superuser);
    await superuser.query("select events.ensure_partitions('2031-05-01', 3)");
    expect(await dumpSchema(superuser)).toBe(before);
  });

  it.each([
    ["a column", "alter table images.golden_images add column note text default 'none'", "  note text default 'none'::text"],
    ["a constraint", "alter table images.golden_images add constraint short check (length(version) < 9)", "  constraint short CHECK ((length(version) < 9))"],
    ["an index", "create index by_digest on images.golden_images (org_id, digest)", "CREATE INDEX by_digest ON images.golden_images USING btree (org_id, digest);"],
    ["a policy", "create policy more on images.golden_images as restrictive for delete to qinfra_app using (false)", "create policy more on images.golden_images as restrictive for delete to qinfra_app using (false);"],
    ["no row level security", "alter table images.image_tags disable row level security", undefined],
    ["a grant", "grant truncate on images.golden_images to qinfra_app", "grant delete, insert, select, truncate, update on images.golden_images to qinfra_app;"],
    ["a grant of one column", "grant update (name) on organizations.organizations to qinfra_app", "grant update (name) on organizations.organizations to qinfra_app;"],
    ["a grant to everybody", "grant select on images.api_images to public", "grant select on images.api_images to public;"],
    ["an owner", "alter table images.golden_images owner to qinfra_app", "alter table images.golden_images owner to qinfra_app;"],
    ["a view", "alter view images.api_images reset (security_invoker)", "create view images.api_images as"],
    ["a function", "create function images.twice(n int) returns int language sql as 'select n * 2'", "grant execute on function images.twice(integer) to public;"],
    ["a trigger", "create trigger t before update on images.image_tags for each row execute function suppress_redundant_updates_trigger()", "CREATE TRIGGER t BEFORE UPDATE ON images.image_tags FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();"],
    ["a schema", "create schema extra", "create schema extra;"],
  ])("shows %s that is different", async (_what, change, line) => {
    await superuser.query("begin");
    try {
      const before = await dumpSchema(superuser);
      await superuser.query(change);
      const after = await dumpSchema(superuser);
      expect(after).not.toBe(before);
      if (line !== undefined) expect(after.replaceAll(/,$/gm, "").split("\n")).toContain(line);
    } finally {
      await superuser.query("rollback");
    }
  });
});
