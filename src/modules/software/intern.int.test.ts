import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "../../platform/clock.ts";
import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import { createIds } from "../../platform/ids.ts";
import { testDatabase, type TestDatabase } from "../../platform/testing/database.ts";
import { internComponents } from "./intern.ts";
import { insertSet, internPackages } from "./store.ts";
import { sweepSoftware } from "./sweep.ts";
import { componentsOf } from "./views.ts";

let test: TestDatabase;
const ids = createIds(systemClock);
const orgId = ids.uuid();
const inAWeek = { ...systemClock, now: () => systemClock.now() + 7 * 86_400_000 };
beforeAll(async () => {
  test = await testDatabase();
});
afterAll(() => test.close());

function intern(names: readonly string[], transaction = <T>(work: (db: Db) => Promise<T>) => test.database.tenant(orgId, work)): Promise<string> {
  return internComponents({ orgId, clock: inAWeek, ids, transaction }, names.map((name) => ({ name })));
}

it("given a package in no set any more, when a set with it is being made while the sweep runs, then the set keeps it", async () => {
  const old = await internComponents({ orgId, clock: systemClock, ids, transaction: (work) => test.database.tenant(orgId, work) }, [{ name: "shared" }, { name: "old" }]);
  expect(old).toBeTypeOf("string");
  let swept: Promise<unknown> | undefined;
  const made = await intern(["shared", "new"], (work) => test.database.tenant(orgId, async (db) => {
    const set = await work(db);
    // The set is not committed yet: the sweep, which deletes the old one, must not take what it refers to.
    swept = test.database.system((system) => sweepSoftware(system, inAWeek, []));
    await expect.poll(async () => (await test.database.system((system) => system.many(sql`
      select from pg_stat_activity where query like 'lock table software%' and wait_event_type = 'Lock'`))).length, { timeout: 10_000 }).toBe(1);
    return set;
  }));
  expect(await swept).toEqual({ sets: 1, packages: 1 });
  expect((await test.database.tenant(orgId, (db) => componentsOf(db, made))).map(({ name }) => name).sort()).toEqual(["new", "shared"]);
});

it("given names and purls of any length that an operation takes, then they are kept whole", async () => {
  const long = randomBytes(1_000).toString("hex");
  const wide = Array.from(randomBytes(4_000).toString("latin1"), (char) => String.fromCodePoint(0x4e00 + char.charCodeAt(0) * 80)).slice(0, 2_000).join("");
  const components = [{ name: long, version: long }, { name: wide }, { name: "x", purl: `pkg:npm/${wide.slice(0, 1_900)}` }];
  const set = await internComponents({ orgId, clock: systemClock, ids, transaction: (work) => test.database.tenant(orgId, work) }, components);
  const kept = await test.database.tenant(orgId, (db) => componentsOf(db, set));
  expect(kept).toHaveLength(3);
  for (const component of components) expect(kept).toContainEqual(component);
});

it("given thousands of packages and hundreds of sets, then the sweep comes to its end", async () => {
  const other = ids.uuid();
  await test.database.tenant(other, async (db) => {
    const packages = await internPackages(db, other, Array.from({ length: 20_000 }, (_, n) => ({ key: `p${n}@`, name: `p${n}` })));
    for (let n = 0; n < 300; n++) {
      const now = new Date(n === 0 ? systemClock.now() : inAWeek.now()).toISOString();
      await insertSet(db, { orgId: other, id: ids.uuid(), digest: randomBytes(32), packages: packages.slice(n * 50, n * 50 + 500), now });
    }
  });
  const swept = await test.database.system((db) => sweepSoftware(db, inAWeek, []));
  expect(swept.packages).toBeGreaterThan(4_000);
}, 60_000);
