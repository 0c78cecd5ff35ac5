import { afterAll, beforeAll, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../testing/database.ts";
import { dbosVersion, migrateDbos, versionOf } from "./schema.ts";

let test: TestDatabase;
beforeAll(async () => void (test = await testDatabase()));
afterAll(() => test.close());

it("given tables that the pinned release made, then they are as new as is written down, and nothing is loaded to make them again", async () => {
  const superuser = await test.connect("superuser");
  const found = await versionOf(superuser);
  await migrateDbos(superuser, test.config("superuser"), new URL("file:///nowhere/thread.ts"));
  await superuser.end();
  expect(found).toBe(dbosVersion);
});

it("given the tenants' role, then it may enter none of them", async () => {
  const tenant = await test.connect("qinfra_app");
  await expect(tenant.query("select from dbos.workflow_status")).rejects.toMatchObject({ code: "42501" });
  await tenant.end();
});
