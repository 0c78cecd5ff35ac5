import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type pg from "pg";
import type { Clock } from "../clock.ts";
import { sql } from "../database/sql.ts";
import { createIds } from "../ids.ts";
import { appender } from "./append.ts";
import { createArchive } from "./archive.ts";
import { decodeExport } from "./export.ts";
import { foldStream, snapshotStream, type Fold } from "./fold.ts";
import type { Line } from "./line.ts";
import { readLog } from "./read.ts";
import { retirePartitions, type Retirement, type RetireOptions } from "./retire.ts";
import { eventsFixture, silent, testEvent, type EventsFixture, type TestEvent } from "./testing.ts";
import { emptyLog } from "./testing-empty.ts";
import { verifyLog, type Verification } from "./verify.ts";
import { readWholeLog } from "./whole-log.ts";

let log: EventsFixture;
let admin: pg.Client;
let line: Line;
beforeAll(async () => {
  log = await eventsFixture();
  admin = await log.connect("superuser");
  line = log.line();
});
afterEach(() => emptyLog(log, admin));
afterAll(async () => {
  await admin.end();
  await log.close();
});

/** Thirteen months are kept in November 2026: what is of September 2025 or before goes. */
const now = clockAt("2026-11-21T12:00:00Z");
const old = clockAt("2025-09-10T12:00:00Z");
const kept = clockAt("2025-10-10T12:00:00Z");

/** A sum of what was added, and how many events made it. */
const sum: Fold<{ total: number; events: number }> = {
  prefix: "sum_", schema: 1, start: { total: 0, events: 0 },
  apply: (state, event) => ({ total: state.total + Number(event.data["add"]), events: state.events + 1 }),
};

async function appendAt(clock: Clock, event: TestEvent, orgId = log.orgId): Promise<string> {
  return log.database.tenant(orgId, (db) => appender(db, {
    orgId, actor: "system", operation: "test.append", requestId: "req_1", door: "http", ai: false, clock, ids: createIds(clock), privateBodies: log.privateBodies,
  }).append(testEvent(event)));
}

async function partitions(from = "2025-09-01"): Promise<void> {
  await log.database.system((db) => db.run(sql`select events.ensure_partitions(${from}::timestamptz, 3)`));
}

/** Three events of a folded stream and four others a while ago, of two organizations, then two of later; all sealed and signed. */
async function oldEvents(): Promise<void> {
  for (const add of [1, 2, 3]) await appendAt(old, { subject: "sum_1", data: { add } });
  for (const i of [1, 2, 3, 4]) await appendAt(old, { subject: `tst_${i}` }, i < 3 ? log.orgId : log.otherOrgId);
  await appendAt(kept, { subject: "sum_1", data: { add: 4 } });
  await appendAt(kept, { subject: "tst_1" });
  await sealAndSign(9);
}

async function sealAndSign(count: number): Promise<void> {
  const sealer = log.sealer({ line });
  await log.sealedUpTo(count);
  await sealer.stop();
  await log.checkpointer().run();
}

function retire(more: Partial<RetireOptions> = {}): Promise<Retirement | undefined> {
  return retirePartitions({ database: log.database, line, blobs: log.blobs, clock: now, log: silent, months: 13, folds: [sum as Fold<unknown>], ...more });
}

const verify = (orgId?: string): Promise<Verification> => verifyLog({ database: log.database, keys: log.keys, blobs: log.blobs, pageSize: 3, ...(orgId === undefined ? {} : { orgId }) });
const tables = async (): Promise<string[]> => (await admin.query<{ name: string }>("select relname as name from pg_class where relnamespace = 'events'::regnamespace and relkind = 'r' and relname ~ '^log_' order by 1")).rows.map(({ name }) => name);
const live = async (): Promise<number> => (await log.database.system((db) => db.one<{ n: number }>(sql`select count(*) as n from events.log`))).n;
const fileOf = (orgId: string): string => [...log.blobs.files.keys()].find((name) => name.startsWith(`${orgId} events/`)) ?? "none";

describe.each([
  { title: "a monthly partition", prepare: () => partitions(), partition: "log_202509" },
  { title: "rows of the default partition", prepare: () => Promise.resolve(), partition: "log_default_202509" },
])("retiring $title", ({ prepare, partition }) => {
  beforeEach(async () => {
    await prepare();
    await oldEvents();
  });

  it("given an open stream with events in it, when it is gone, then the stream is appended to and folded, and the chain verifies", async () => {
    expect(await retire()).toEqual({ retired: [partition], kept: [] });
    expect(await tables()).not.toContain("log_202509");
    expect(await live()).toBe(2);

    const folded = await log.database.tenant(log.orgId, (db) => foldStream(db, log.orgId, "sum_1", sum));
    expect(folded).toEqual({ state: { total: 10, events: 4 }, version: 4 });
    await log.append({ subject: "sum_1", data: { add: 5 }, expectedVersion: folded.version });
    await expect(log.append({ subject: "sum_1", data: { add: 5 }, expectedVersion: folded.version })).rejects.toThrow("changed by somebody else");
    expect(await log.database.tenant(log.orgId, (db) => foldStream(db, log.orgId, "sum_1", sum))).toEqual({ state: { total: 15, events: 5 }, version: 5 });
    // A stream that nobody folds goes on too.
    await log.append({ subject: "tst_3", expectedVersion: 1 }, log.otherOrgId);
    await log.append({ subject: "tst_2", expectedVersion: 1 });
    await sealAndSign(12);
    expect(await verify()).toMatchObject({ organizations: 2, events: 12, unsealed: 0, unsigned: 0, problems: 0 });
    expect(await verify(log.otherOrgId)).toMatchObject({ events: 3, problems: 0 });
  });

  it("given it is gone, then the audit log is read as before, whichever way", async () => {
    const queries = [
      { limit: 100 }, { limit: 2 }, { limit: 3, cursor: 6 }, { limit: 100, order: "oldest" as const }, { limit: 2, order: "oldest" as const, cursor: 4 }, { limit: 100, subject: "sum_1" },
      { limit: 100, type: "tests.other" }, { limit: 1, order: "oldest" as const }, { limit: 100, from: "2025-09-30T00:00:00Z" }, { limit: 100, to: "2025-09-30T00:00:00Z" },
    ];
    const before = await log.database.tenant(log.orgId, (db) => Promise.all(queries.map((query) => readLog(db, log.orgId, query))));
    expect(before[0]).toHaveLength(7);
    await retire({ limits: { events: 2, bytes: 1_000_000 } });
    const archive = createArchive(log.blobs);
    for (const [i, query] of queries.entries()) {
      expect(await readWholeLog({ archive, transaction: (work) => log.database.tenant(log.orgId, work) }, log.orgId, query)).toEqual(before[i]);
    }
    expect(await readWholeLog({ archive, transaction: (work) => log.database.tenant(log.otherOrgId, work) }, log.orgId, { limit: 10 })).toEqual([]);
  });

  it("given it is done again, then nothing more happens", async () => {
    await retire();
    const files = new Map(log.blobs.files);
    expect(await retire()).toEqual({ retired: [], kept: [] });
    expect(log.blobs.files).toEqual(files);
  });

  it("given the server ends while it writes, when another goes on, then every event is in one place", async () => {
    let written = 0;
    const write: typeof log.blobs.write = async (...file) => {
      if (++written === 3) throw new Error("the server ended");
      await log.blobs.write(...file);
    };
    expect(await retire({ blobs: { ...log.blobs, write }, limits: { events: 2, bytes: 1_000_000 } })).toEqual({ retired: [], kept: [{ partition, why: "the server ended" }] });
    expect(await live()).toBe(9);
    expect(await verify()).toMatchObject({ events: 9, problems: 0 });
    expect(await retire({ limits: { events: 2, bytes: 1_000_000 } })).toMatchObject({ retired: [partition] });
    expect(await verify()).toMatchObject({ events: 9, problems: 0 });
  });

  const damages: { title: string; kind: string; damage(): Promise<void> }[] = [
    { title: "a file is missing", kind: "export-missing", damage: async () => void log.blobs.files.delete(fileOf(log.orgId)) },
    { title: "a file is cut", kind: "export-changed", damage: async () => void log.blobs.files.set(fileOf(log.orgId), (log.blobs.files.get(fileOf(log.orgId)) ?? new Uint8Array()).slice(0, -4)) },
    { title: "a file is another organization's", kind: "export-changed", damage: async () => void log.blobs.files.set(fileOf(log.orgId), log.blobs.files.get(fileOf(log.otherOrgId)) ?? new Uint8Array()) },
    { title: "the record of a file says another hash", kind: "export-changed", damage: async () => void (await admin.query("update events.exports set sha256 = sha256('x') where org_id = $1", [log.orgId])) },
    { title: "the record of a file is gone", kind: "event-missing", damage: async () => void (await admin.query("delete from events.exports where org_id = $1", [log.orgId])) },
  ];
  it.each(damages)("$title: verify says so and names it", async ({ kind, damage }) => {
    await retire();
    const name = fileOf(log.orgId).split(" ")[1] as string;
    await damage();
    const found = await verify(log.orgId);
    expect(found).toMatchObject({ problems: 1, first: { kind, orgId: log.orgId } });
    if (kind.startsWith("export")) expect(found.first?.what).toContain(name);
  });
});

describe("a partition stays in the log, and it is said why,", () => {
  const reasons: { title: string; arrange(): Promise<unknown>; why: string; folds?: readonly Fold<unknown>[] }[] = [
    { title: "while an event is not in the chain", arrange: () => appendAt(old, { subject: "late" }), why: "1 of its events are not in the chain yet" },
    { title: "while it is not signed", arrange: () => admin.query("delete from events.checkpoints where org_id = $1", [log.orgId]), why: "are not signed yet" },
    { title: "while a reader has not passed it", arrange: () => admin.query("insert into events.subscriptions (name, position, seen_at) values ('tests.reader', 2, '2026-11-20')"), why: "the reader tests.reader is only at position 2" },
    {
      title: "while an event of it is parked",
      arrange: () => admin.query("insert into events.dead_letters select 'tests.reader', id, org_id, position, 5, 'it did not work', now() from events.log where position = 1"), why: "parked at tests.reader",
    },
    { title: "while a stream cannot be folded", arrange: () => Promise.resolve(), folds: [{ ...sum, apply: () => { throw new Error("no such state"); } } as Fold<unknown>], why: "no such state" },
    { title: "while a state cannot be kept", arrange: () => Promise.resolve(), folds: [{ ...sum, start: new Map(), apply: (state: unknown) => state } as Fold<unknown>], why: "cannot be kept as JSON" },
    { title: "where an event was changed in the table", arrange: () => admin.query("update events.log set body = replace(body, '\"add\":2', '\"add\":9')"), why: "is not the one that was hashed" },
  ];
  it.each(reasons)("$title", async ({ arrange, why, folds }) => {
    await partitions();
    await oldEvents();
    await arrange();
    const before = await live();
    const done = await retire(folds === undefined ? {} : { folds });
    expect(done).toEqual({ retired: [], kept: [{ partition: "log_202509", why: expect.stringContaining(why) }] });
    expect(await live()).toBe(before);
    expect(await tables()).toContain("log_202509");
  });

  it("but not for a reader that has been gone for a month", async () => {
    await partitions();
    await oldEvents();
    await admin.query("insert into events.subscriptions (name, position, seen_at) values ('tests.gone', 0, '2026-10-01')");
    expect(await retire()).toMatchObject({ retired: ["log_202509"] });
  });

  it("while another server is at it", async () => {
    const hold = await log.line().tryLock("events.retire");
    expect(await retire()).toBeUndefined();
    await hold?.release();
    expect(await retire()).toEqual({ retired: [], kept: [] });
  });
});

it("given a partition that was taken out and not dropped, then it is dropped, and not when it holds what was not exported", async () => {
  await partitions();
  await oldEvents();
  await admin.query("create function public.refuse() returns event_trigger language plpgsql as $$ begin raise exception 'not now'; end $$; create event trigger refuse on sql_drop execute function public.refuse()");
  expect(await retire()).toMatchObject({ retired: ["log_202509"] });
  await admin.query("drop event trigger refuse");
  expect(await tables()).toContain("log_202509");
  expect(await verify()).toMatchObject({ events: 9, problems: 0 });

  await admin.query("insert into events.log_202509 select gen_random_uuid(), org_id, type, subject, stream, 9, actor, operation, request_id, door, ai, time, body, hash from events.log_202509 limit 1");
  await retire();
  expect(await tables()).toContain("log_202509");
  await admin.query("delete from events.log_202509 where version = 9");
  await retire();
  expect(await tables()).not.toContain("log_202509");
});

it("files hold what was appended, byte for byte, and are the organization's own", async () => {
  await partitions();
  await oldEvents();
  const { rows } = await admin.query<{ body: string }>("select body from events.log where org_id = $1 and time < '2025-10-01' order by org_seq", [log.orgId]);
  await retire();
  expect([...log.blobs.files.keys()].filter((name) => name.includes("events/")).sort()).toEqual([log.orgId, log.otherOrgId].map((org) => `${org} events/log_202509/000001.jsonl.gz`).sort());
  const events = await decodeExport(log.blobs.files.get(fileOf(log.orgId)) ?? new Uint8Array());
  expect(events.map(({ body }) => body)).toEqual(rows.map(({ body }) => body));
});

describe("folding", () => {
  it("starts from nothing where there is no stream, and from a snapshot where there is one", async () => {
    const fold = () => log.database.tenant(log.orgId, (db) => foldStream(db, log.orgId, "sum_1", sum));
    expect(await fold()).toEqual({ state: sum.start, version: 0 });
    for (const add of [1, 2]) await log.append({ subject: "sum_1", data: { add } });
    expect(await log.database.tenant(log.orgId, (db) => snapshotStream(db, log.orgId, "sum_1", sum))).toBe(2);
    await admin.query("update events.streams set snapshot = '{\"total\":100,\"events\":2}'");
    await log.append({ subject: "sum_1", data: { add: 3 } });
    expect(await fold()).toEqual({ state: { total: 103, events: 3 }, version: 3 });
  });

  it("reads a snapshot of an older schema by its upgrade, and without one needs all events", async () => {
    await partitions();
    await oldEvents();
    const newer = { ...sum, schema: 2 };
    await retire();
    await expect(log.database.tenant(log.orgId, (db) => foldStream(db, log.orgId, "sum_1", newer))).rejects.toThrow("not in the log any more");
    const upgrading = { ...newer, upgrade: (state: unknown) => ({ ...(state as { total: number; events: number }), total: 0 }) };
    expect(await log.database.tenant(log.orgId, (db) => foldStream(db, log.orgId, "sum_1", upgrading))).toEqual({ state: { total: 0, events: 4 }, version: 4 });
  });
});

function clockAt(time: string): Clock {
  return { now: () => Date.parse(time) };
}
