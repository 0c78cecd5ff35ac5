import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../testing/database.ts";
import { instanceLockClass, keepInstanceLock } from "./instance.ts";

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.close());

it("given the connection is lost, then the same lock is held again, and given back at the end", async () => {
  const admin = await test.connect("superuser");
  const lock = await keepInstanceLock(test.database, { log: pino({ level: "silent" }), sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 10))) });
  async function holder(): Promise<number | undefined> {
    const { rows } = await admin.query<{ pid: number }>(
      "select pid from pg_locks where locktype = 'advisory' and classid = $1::oid and objid = $2::oid and granted and database = (select oid from pg_database where datname = current_database())",
      [instanceLockClass, lock.instance]);
    return rows[0]?.pid;
  }
  const first = await holder();
  expect(first).toBeTypeOf("number");
  await admin.query("select pg_terminate_backend($1)", [first]);
  await expect.poll(holder, { timeout: 10_000 }).toSatisfy((pid: number | undefined) => pid !== undefined && pid !== first);
  await lock.close();
  await expect.poll(holder, { timeout: 10_000 }).toBeUndefined();
  await admin.end();
});
