import { afterAll, beforeAll, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../platform/testing/database.ts";
import { refuseOtherKeys } from "./database.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.close());

it("given a database that was made with other keys, then a server is refused before it sets any password", async () => {
  const client = await test.connect("superuser");
  expect(await refuseOtherKeys(client, "first", "keys")).toBe(false);
  await client.query("comment on schema platform is 'first'");
  expect(await refuseOtherKeys(client, "first", "keys")).toBe(true);
  await expect(refuseOtherKeys(client, "second", "/etc/qinfra/keys")).rejects.toThrow(/^The keys in \/etc\/qinfra\/keys are not those/);
  await client.end();
});
