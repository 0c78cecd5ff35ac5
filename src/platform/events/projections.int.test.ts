import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type pg from "pg";
import { systemClock } from "../clock.ts";
import { sql } from "../database/sql.ts";
import { createIds } from "../ids.ts";
import { appender } from "./append.ts";
import { createArchive } from "./archive.ts";
import { projection, type Projection } from "./projection.ts";
import { askBuild, cancelBuild, openBuilds, type Build } from "./projection-store.ts";
import { startProjections, type ProjectionOptions, type Projections } from "./projections.ts";
import { retirePartitions } from "./retire.ts";
import { eventsFixture, silent, testEvent, until, type EventsFixture } from "./testing.ts";
import { systemTimer } from "./timer.ts";
import type { StoredEvent } from "./types.ts";

let log: EventsFixture;
let admin: pg.Client;
const running: Projections[] = [];
beforeEach(async () => {
  log = await eventsFixture();
  admin = await log.connect("superuser");
  await admin.query(`
    create schema tests;
    create table tests.sums (org_id uuid not null, build integer not null, subject text not null, events bigint not null, total bigint not null, last bigint not null, primary key (org_id, build, subject));
    grant usage on schema tests to qinfra_system;
    grant select, insert, update, delete on tests.sums to qinfra_system`);
});
afterEach(async () => {
  await stopAll();
  await admin.end();
  await log.close();
});

async function stopAll(): Promise<void> {
  for (const one of running.splice(0)) await one.stop();
}

/** How many events a subject has and what they add up to, with the last one: another order would show. */
function sums(more: Partial<Projection> = {}, factor = 1): Projection {
  return projection({
    id: "tests.sums", version: 1, on: ["tests.added"], tables: ["tests.sums"],
    async apply(db, build, events) {
      for (const { orgId, subject, data } of events) {
        await db.run(sql`insert into tests.sums as s (org_id, build, subject, events, total, last) values (${orgId}, ${build}, ${subject}, 1, ${Number(data["add"]) * factor}, ${data["add"]})
          on conflict (org_id, build, subject) do update set events = s.events + 1, total = s.total + excluded.total, last = excluded.last`);
      }
    },
    ...more,
  });
}

function start(projections: readonly Projection[], more: Partial<ProjectionOptions> = {}): Projections {
  const one = startProjections({
    database: log.database, archive: createArchive(log.blobs), clock: systemClock, log: silent, projections, line: log.line(), timer: systemTimer, random: () => 0, baseMs: 2, pageSize: 7, ...more,
  });
  running.push(one);
  return one;
}

/** Five in a transaction, of one organization or the other; after each fourth comes another event, which does not count. */
async function addMany(from: number, to: number): Promise<void> {
  for (let first = from; first <= to; first += 5) {
    const orgId = first % 3 === 0 ? log.otherOrgId : log.orgId;
    await log.database.tenant(orgId, async (db) => {
      for (let i = first; i <= Math.min(to, first + 4); i++) {
        await log.on(db, orgId).append(testEvent({ type: "tests.added", subject: `tst_${i % 4}`, data: { add: i } }));
        if (i % 4 === 0) await log.on(db, orgId).append(testEvent({ subject: `tst_${i % 4}` }));
      }
    });
  }
}

interface Row { org_id: string; subject: string; events: number; total: number; last: number }
/** What readers see. */
const read = (): Promise<Row[]> => log.database.system((db) => db.many<Row>(sql`
  select s.org_id, s.subject, s.events, s.total, s.last from tests.sums s join events.projections p on p.name = 'tests.sums' and p.build = s.build and p.state = 'active' order by 1, 2`));
const builds = (): Promise<Build[]> => log.database.system((db) => openBuilds(db, "tests.sums"));
const active = async (): Promise<Build | undefined> => (await builds()).find(({ state }) => state === "active");
const ask = (): Promise<boolean> => log.database.system((db) => askBuild(db, "tests.sums", new Date(0).toISOString()));
/** By the superuser, whose connection nobody cuts: how far all builds are together, and whether the second one is read. */
const positions = async (): Promise<number> => Number((await admin.query("select coalesce(sum(position), 0) as sum from events.projections")).rows[0].sum);
const settled = async (): Promise<boolean> => (await admin.query("select from events.projections where build = 2 and state = 'active'")).rowCount === 1;
const rowsOf = async (build: number): Promise<number> => Number((await admin.query("select count(*) as n from tests.sums where build = $1", [build])).rows[0].n);

function expected(events: readonly StoredEvent[], factor = 1): Row[] {
  const rows = new Map<string, Row>();
  for (const { orgId, subject, data } of events.filter(({ type }) => type === "tests.added")) {
    const row = rows.get(`${orgId} ${subject}`) ?? { org_id: orgId, subject, events: 0, total: 0, last: 0 };
    const added = Number(data["add"]);
    rows.set(`${orgId} ${subject}`, { ...row, events: row.events + 1, total: row.total + added * factor, last: added });
  }
  return [...rows.values()].sort((a, b) => (`${a.org_id} ${a.subject}` < `${b.org_id} ${b.subject}` ? -1 : 1));
}

async function caughtUp(): Promise<void> {
  await until(async () => {
    const head = (await log.database.system((db) => db.one<{ position: number; unsealed: number }>(sql`select position, (select count(*) from events.log where position is null) as unsealed from events.head`)));
    return head.unsealed === 0 && (await active())?.position === head.position;
  });
}

const rebuilt = (build: number): Promise<void> => until(async () => (await active())?.build === build && (await builds()).length === 1);

describe("keeping up", () => {
  it("given events of two organizations, when more come, then each counts once, in order", async () => {
    log.sealer();
    await addMany(1, 40);
    start([sums()]);
    await addMany(41, 60);
    await caughtUp();
    expect(await read()).toEqual(expected(await log.sealed()));
    expect(await active()).toMatchObject({ build: 1, version: 1, reason: "first", applied: 60, problem: null });
  });

  it("given two servers, when the one that writes ends, then the other goes on, and each event counts once", async () => {
    log.sealer();
    const writers: string[] = [];
    const named = (name: string): Projection => ({ ...sums(), apply: (db, build, events) => (writers.push(name), sums().apply(db, build, events)) });
    const first = start([named("first")]);
    await addMany(1, 10);
    await caughtUp();
    start([named("second")]);
    await addMany(11, 20);
    await caughtUp();
    expect(new Set(writers)).toEqual(new Set(["first"]));
    await first.stop();
    await addMany(21, 40);
    await caughtUp();
    expect(writers.at(-1)).toBe("second");
    expect(await read()).toEqual(expected(await log.sealed()));
    expect(await active()).toMatchObject({ applied: 40 });
  });

  it("given a lock that is lost without being noticed, so that three write at once, then each event counts once", async () => {
    log.sealer();
    await addMany(1, 50);
    const everybodys: ProjectionOptions["line"] = { ...log.line(), tryLock: async () => ({ client: undefined as never, lost: new AbortController().signal, release: async () => undefined }) };
    for (let i = 0; i < 3; i++) start([sums()], { line: everybodys, pageSize: 2 });
    await addMany(51, 100);
    await caughtUp();
    await ask();
    await rebuilt(2);
    expect(await read()).toEqual(expected(await log.sealed()));
    expect(await active()).toMatchObject({ applied: 100, matches: true });
  });

  it("given connections that are cut again and again, also while it is built anew, then each event counts once", async () => {
    log.sealer();
    start([sums()], { pageSize: 2 });
    start([sums()], { pageSize: 3 });
    const cut = () => admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'qinfra_system'");
    const writing = addMany(1, 150);
    await until(async () => (await read().catch(() => [])).length > 0);
    await until(() => ask().catch(() => false));
    for (let i = 0; i < 8; i++) {
      const before = await positions();
      await cut();
      await until(async () => (await positions()) > before || (await settled()));
    }
    await writing;
    await until(async () => settled());
    await caughtUp();
    expect(await read()).toEqual(expected(await log.sealed()));
    expect(await active()).toMatchObject({ build: 2, applied: 150, matches: true });
  });

  it("given a page that fails, when its cause is gone, then it is applied, and until then the reason is shown", async () => {
    log.sealer();
    let broken = true;
    await addMany(1, 10);
    start([{ ...sums(), async apply(db, build, events) {
      await sums().apply(db, build, events);
      if (broken && events.some(({ data }) => data["add"] === 8)) throw new Error("eight is too much");
    } }]);
    await until(async () => (await active())?.problem === "eight is too much");
    expect((await read()).reduce((sum, { events }) => sum + events, 0)).toBeLessThan(8);
    broken = false;
    await caughtUp();
    expect(await read()).toEqual(expected(await log.sealed()));
    expect(await active()).toMatchObject({ problem: null });
  });
});

describe("building anew", () => {
  it("given 200 events that come meanwhile, when it is switched, then readers never saw less, and nothing is lost or counted twice", async () => {
    log.sealer();
    await addMany(1, 100);
    start([sums()]);
    await caughtUp();
    await ask();
    let done = false;
    const seen: number[] = [];
    const reader = (async () => {
      while (!done) seen.push((await read()).reduce((sum, { events }) => sum + events, 0));
    })();
    await addMany(101, 300);
    await rebuilt(2);
    await caughtUp();
    done = true;
    await reader;
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen[0]).toBeGreaterThanOrEqual(100);
    expect(await read()).toEqual(expected(await log.sealed()));
    expect(await active()).toMatchObject({ build: 2, reason: "asked", matches: true, applied: 300 });
    expect(await rowsOf(1)).toBe(0);
  });

  it("given rows that were changed by hand, when it is built anew, then they are right again, and that they were not is said", async () => {
    log.sealer();
    await addMany(1, 20);
    start([sums()]);
    await caughtUp();
    await admin.query("update tests.sums set total = total + 1 where subject = 'tst_1'");
    await ask();
    await rebuilt(2);
    expect(await active()).toMatchObject({ matches: false });
    expect(await read()).toEqual(expected(await log.sealed()));
  });

  it("given a server that ends in the middle, when another starts, then it goes on from there", async () => {
    log.sealer();
    await addMany(1, 60);
    const first = start([sums()]);
    await caughtUp();
    await first.stop();
    await ask();
    const middle = Promise.withResolvers<void>();
    const interrupted = start([{ ...sums(), async apply(db, build, events) {
      await sums().apply(db, build, events);
      if (build === 2 && events.some(({ data }) => Number(data["add"]) > 30)) {
        middle.resolve();
        // As a server that is killed: the transaction never commits.
        throw new Error("killed");
      }
    } }], { baseMs: 60_000 });
    await middle.promise;
    await interrupted.stop();
    const before = (await builds()).find(({ state }) => state === "building");
    expect(before).toMatchObject({ build: 2 });
    expect(before?.applied).toBeGreaterThan(0);
    expect(before?.applied).toBeLessThan(60);

    const again: number[] = [];
    start([{ ...sums(), apply: (db, build, events) => (again.push(...events.map(({ data }) => Number(data["add"]))), sums().apply(db, build, events)) }]);
    await rebuilt(2);
    expect(again).toHaveLength(60 - (before?.applied ?? 0));
    expect(await active()).toMatchObject({ applied: 60, matches: true });
    expect(await read()).toEqual(expected(await log.sealed()));
  });

  it("given it is cancelled, then the old build is read on, what was built is removed, and it can be asked for again", async () => {
    log.sealer();
    await addMany(1, 40);
    const first = start([sums()]);
    await caughtUp();
    await first.stop();
    await ask();
    expect(await ask(), "one at a time").toBe(false);
    const stuck = start([{ ...sums(), apply: (db, build, events) => (build === 2 && events.some(({ data }) => Number(data["add"]) > 20) ? Promise.reject(new Error("stuck")) : sums().apply(db, build, events)) }], { baseMs: 60_000 });
    await until(async () => (await rowsOf(2)) > 0);
    await log.database.system((db) => cancelBuild(db, "tests.sums", new Date(0).toISOString()));
    await until(async () => (await builds()).length === 1);
    expect(await rowsOf(2)).toBe(0);
    expect(await read()).toEqual(expected(await log.sealed()));
    await stuck.stop();
    await ask();
    start([sums()]);
    await rebuilt(3);
    expect(await read()).toEqual(expected(await log.sealed()));
  });

  it("given newer code, when it starts, then the old build is read until the new one has caught up; older code leaves that alone", async () => {
    log.sealer();
    await addMany(1, 30);
    const first = start([sums()]);
    await caughtUp();
    await first.stop();
    const old = await read();
    await addMany(31, 40);
    const go = Promise.withResolvers<void>();
    const newer = { ...sums({ version: 2 }, 10), apply: async (...args: Parameters<Projection["apply"]>) => (await go.promise, sums({}, 10).apply(...args)) };
    const second = start([newer]);
    await until(async () => (await builds()).some(({ state, version }) => state === "building" && version === 2));
    expect(await read()).toEqual(old);
    go.resolve();
    await rebuilt(2);
    await caughtUp();
    expect(await active()).toMatchObject({ version: 2, reason: "version", matches: null });
    expect(await read()).toEqual(expected(await log.sealed(), 10));
    await second.stop();
    start([sums()]);
    await addMany(41, 50);
    await log.sealedUpTo(62);
    expect(await builds()).toMatchObject([{ build: 2, state: "active", position: 50 }]);
    // One that is asked for is made by whoever has the lock, as after going back to the older program for good.
    await ask();
    await rebuilt(3);
    await caughtUp();
    expect(await active()).toMatchObject({ version: 1 });
    expect(await read()).toEqual(expected(await log.sealed()));
  });

  it("given events that were retired into files, when it is built anew, then they count too", async () => {
    const at = (time: string) => ({ now: () => Date.parse(time) });
    const appendAt = (time: string, amount: number, orgId: string) => log.database.tenant(orgId, (db) => appender(db, {
      orgId, actor: "system", operation: "test.append", requestId: "req_1", door: "http", ai: false, clock: at(time), ids: createIds(at(time)), privateBodies: log.privateBodies,
    }).append(testEvent({ type: amount % 3 === 0 ? "tests.other" : "tests.added", data: { add: amount } })));
    await log.database.system((db) => db.run(sql`select events.ensure_partitions('2025-09-01'::timestamptz, 3)`));
    for (let i = 1; i <= 30; i++) await appendAt("2025-09-10T12:00:00Z", i, i % 2 === 0 ? log.orgId : log.otherOrgId);
    for (let i = 31; i <= 40; i++) await appendAt("2025-10-10T12:00:00Z", i, log.orgId);
    const sealer = log.sealer();
    await log.sealedUpTo(40);
    await sealer.stop();
    await log.checkpointer().run();
    const all = expected(await log.sealed());
    const retire = () => retirePartitions({ database: log.database, line: log.line(), blobs: log.blobs, clock: at("2026-11-21T12:00:00Z"), log: silent, months: 13, folds: [], limits: { events: 4, bytes: 1_000_000 } });
    expect(await retire()).toEqual({ retired: ["log_202509"], kept: [] });
    start([sums()]);
    await caughtUp();
    expect(await read()).toEqual(all);
    await ask();
    await rebuilt(2);
    expect(await active()).toMatchObject({ matches: true });
    expect(await read()).toEqual(all);
  });
});
