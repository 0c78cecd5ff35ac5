import { afterAll, beforeAll, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../testing/database.ts";
import { sql } from "./sql.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.close());

it("given a statement whose error was passed over, when the work goes on, then it is not answered as committed", async () => {
  const { database } = test;
  const answer = database.system(async (db) => {
    await db.run(sql`select 1 / 0`).catch(() => undefined);
    return "done";
  });
  await expect(answer).rejects.toThrow("rolled back");
  expect(await database.system((db) => db.one(sql`select 1 as one`))).toEqual({ one: 1 });
});
