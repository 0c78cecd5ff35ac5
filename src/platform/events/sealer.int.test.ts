import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Db } from "../database/database.ts";
import { sql, type Query } from "../database/sql.ts";
import { chainHash, chainStart } from "./chain.ts";
import { sealBatch, type SealState } from "./seal-batch.ts";
import { systemTimer } from "./timer.ts";
import { anyType, eventsFixture, openTransaction, until, type EventsFixture } from "./testing.ts";

let log: EventsFixture;
beforeEach(async () => {
  log = await eventsFixture();
});
afterEach(() => log.close());

async function seal(state: SealState = { from: "0", limit: 1_000 }, size = 1_000): Promise<number> {
  return (await log.database.system((db) => sealBatch(db, state, size))).sealed;
}

/** Batch by batch until so many are sealed. Transaction ids are the cluster's, so that another database's transaction can be the horizon for a while. */
async function sealUntil(events: number, state?: SealState, size?: number): Promise<void> {
  let sealed = 0;
  await until(async () => (sealed += await seal(state, size)) >= events);
  expect(sealed).toBe(events);
}

async function order(): Promise<string[]> {
  return (await log.sealed()).map((event) => `${event.stream}${event.version}`);
}

interface Chained {
  org_id: string;
  position: number;
  org_seq: number;
  hash: Buffer;
  chain_hash: Buffer;
}

/** Positions without gaps, sequences without gaps in each organization, chains that follow. */
async function expectWhole(events: number): Promise<void> {
  const rows = await log.database.system((db) => db.many<Chained>(sql`select org_id, position, org_seq, hash, chain_hash from events.log where position is not null order by position`));
  expect(rows.map((row) => row.position)).toEqual(Array.from({ length: events }, (_, i) => i + 1));
  for (const org of new Set(rows.map((row) => row.org_id))) {
    const own = rows.filter((row) => row.org_id === org);
    expect(own.map((row) => row.org_seq)).toEqual(own.map((_, i) => i + 1));
    let chain: Buffer = chainStart;
    for (const row of own) expect(row.chain_hash).toEqual((chain = chainHash(chain, row.org_seq, row.hash)));
  }
  const streams = Map.groupBy(await log.sealed(), (event) => `${event.orgId} ${event.stream}`);
  for (const events of streams.values()) expect(events.map((event) => event.version)).toEqual(events.map((_, i) => i + 1));
}

describe("order", () => {
  it("puts version 1 first although version 2 has the lower xid", async () => {
    const early = await openTransaction(log);
    await log.append({ subject: "s" });
    await early.append({ subject: "s" });
    expect(await seal()).toBe(0); // the open transaction is the horizon
    await early.commit();
    const rows = await log.database.system((db) => db.many<{ version: number }>(sql`select version from events.log order by xid`));
    expect(rows.map((row) => row.version)).toEqual([2, 1]);

    await sealUntil(2);
    expect(await order()).toEqual(["s1", "s2"]);
  });

  it("holds version 2 back while version 1 lies above the horizon", async () => {
    const early = await openTransaction(log);
    const pinning = await openTransaction(log);
    await log.append({ subject: "s" }); // above the pinning transaction
    await early.append({ subject: "s" }); // below it
    await early.append({ subject: "t" });
    await early.commit();

    const state: SealState = { from: "0", limit: 1_000 };
    await sealUntil(1, state);
    expect(await order()).toEqual(["t1"]);
    expect(await seal(state)).toBe(0);
    await pinning.commit();
    await sealUntil(2, state);
    expect(await order()).toEqual(["t1", "s1", "s2"]);
    await expectWhole(3);
  });

  it("never cuts a batch so that a version comes before its predecessor", async () => {
    const early = await openTransaction(log);
    await log.append({ subject: "s" });
    await early.append({ subject: "s" });
    for (let i = 0; i < 3; i++) await early.append({ subject: "s" });
    await early.commit(); // versions 2 to 5 under the lower xid, version 1 behind them

    const state: SealState = { from: "0", limit: 2 };
    await sealUntil(5, state, 2);
    expect(await order()).toEqual(["s1", "s2", "s3", "s4", "s5"]);
    await expectWhole(5);
  });

  it("leaves no gap for a transaction that is rolled back", async () => {
    await log.append({ subject: "a" });
    await log.database.tenant(log.orgId, async (db) => {
      await log.on(db).append({ type: anyType("tests.happened"), subject: "b", data: {} });
      throw new Error("undone");
    }).catch(() => undefined);
    await log.append({ subject: "c" });
    await log.append({ subject: "d" }, log.otherOrgId);
    await sealUntil(3);
    expect(await order()).toEqual(["a1", "c1", "d1"]);
    await expectWhole(3);
  });

  it("seals what a restored database has under an xid of the future", async () => {
    const id = await log.append();
    await log.database.system((db) => db.run(sql`update events.log set xid = '99999999'::xid8 where id = ${id}`));
    log.sealer();
    expect(await log.sealedCount(1)).toHaveLength(1);
  });
});

describe("the sealer", () => {
  it("keeps order under concurrent writers that took their xid early", async () => {
    log.sealer({ batchSize: 7 });
    await Promise.all(Array.from({ length: 6 }, async (_, writer) => {
      for (let i = 0; i < 10; i++) {
        const transaction = await openTransaction(log);
        await log.database.tenant(log.otherOrgId, (db) => log.on(db, log.otherOrgId).append({ type: anyType("tests.happened"), subject: `w${writer}`, data: {} }));
        await transaction.append({ subject: "shared" });
        await transaction.commit();
      }
    }));
    expect(await log.sealedCount(120)).toHaveLength(120);
    await expectWhole(120);
  });

  it("is woken from its sleep by a writer", async () => {
    const woken = Promise.withResolvers<void>();
    // Its sleep never ends by time: only the notification wakes it.
    const timer = { sleep: (ms: number, signal?: AbortSignal) => (ms === 250 ? untilAborted(signal) : systemTimer.sleep(ms, signal)) };
    log.sealer({ timer, metrics: { batch: () => woken.resolve() } });
    await until(async () => (await log.database.system((db) => db.one<{ asleep: boolean }>(sql`select asleep from events.sealer`))).asleep);
    const appended = log.append();
    await expect(woken.promise).resolves.toBeUndefined();
    await appended;
  });

  it("seals once when two processes run it", async () => {
    const sealers = [log.sealer(), log.sealer()];
    await Promise.all(Array.from({ length: 40 }, (_, i) => log.append({ subject: `s${i % 4}` })));
    await log.sealedCount(40);
    expect(sealers.filter((sealer) => sealer.leading())).toHaveLength(1);
    await expectWhole(40);
  });

  it("does not seal on a log that another one has moved", async () => {
    await log.append();
    const write = sql`select events.seal(5, '{}', '{}', '{}', '{}', '{}', '{}', '{}')`;
    await expect(log.database.system((db) => db.run(write))).rejects.toMatchObject({ code: "QE410" });
  });

  it("is followed by a standby when its connection is killed, with nothing lost or doubled", async () => {
    const first = log.sealer();
    await until(() => first.leading());
    const standby = log.sealer();
    let stop = false;
    let appended = 0;
    const writing = Promise.all([0, 1, 2].map(async (writer) => {
      for (; !stop; appended++) await log.append({ subject: `w${writer}` });
    }));
    const admin = await log.connect("superuser");
    for (let kills = 0; kills < 3; kills++) {
      const before = (await log.sealed()).length;
      await until(async () => (await log.sealed()).length > before + 10);
      const { rows } = await admin.query<{ killed: boolean }>("select pg_terminate_backend(pid) as killed from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())");
      expect(rows).toContainEqual({ killed: true });
    }
    await admin.end();
    await until(() => first.leading() || standby.leading());
    stop = true;
    await writing;
    await log.sealedCount(appended);
    await expectWhole(appended);
  });

  it("makes partitions while writers append, none of which is refused", async () => {
    let stop = false;
    const writing = Promise.all([0, 1, 2, 3, 4, 5].map(async (writer) => {
      while (!stop) await log.append({ subject: `w${writer}` });
    }));
    for (let month = 1; month <= 6; month++) {
      // As if a month began under load: its partition is made when there are writers, but no events of it yet.
      await log.database.system((db) => db.run(sql`select events.ensure_partitions(now() - make_interval(months => ${month}), 1)`));
    }
    stop = true;
    await expect(writing).resolves.toHaveLength(6);
  });

  it("makes partitions ahead and tells how far the horizon is behind", async () => {
    const samples: { unsealed: number; horizonAgeMs: number }[] = [];
    const pinning = await openTransaction(log);
    await log.append();
    log.sealer({ metrics: { sample: (sample) => samples.push(sample) } });
    await until(() => samples.some((sample) => sample.unsealed === 1 && sample.horizonAgeMs > 0));
    await pinning.commit();
    await until(() => samples.at(-1)?.unsealed === 0 && samples.at(-1)?.horizonAgeMs === 0);

    const parts = await log.database.system((db) => db.many<{ name: string }>(sql`select relid::regclass::text as name from pg_partition_tree('events.log') where isleaf order by 1`));
    expect(parts.length).toBeGreaterThanOrEqual(4);
    const { month } = await log.database.system((db) => db.one<{ month: string }>(sql`select to_char(now() + interval '2 months', '"events.log_"YYYYMM') as month`));
    expect(parts.map((part) => part.name)).toContain(month);
  });
});

function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
}

it("given plans from when the log was empty, then a backlog is sealed by looking each event up by its id", async () => {
  const session = await log.connect("superuser");
  const plans: string[] = [];
  session.on("notice", ({ message }) => void (message?.includes("update events.log") === true && plans.push(message)));
  await session.query("select events.ensure_partitions(now(), 5)");
  // As the sealer sets its session, which keeps the plans that it makes now.
  for (const setting of ["enable_seqscan = off", "enable_hashjoin = off", "enable_mergejoin = off", "plan_cache_mode = force_generic_plan"]) await session.query(`set ${setting}`);
  const db = {
    many: async (query: Query) => (await session.query({ ...query, values: [...query.values] })).rows,
    run: async (query: Query) => (await session.query({ ...query, values: [...query.values] })).rowCount ?? 0,
  } as unknown as Db;
  const state: SealState = { from: "0", limit: 1_000 };
  await session.query("analyze");
  await log.append({ subject: "early" });
  await until(async () => (await sealBatch(db, state, 1_000)).sealed === 1);

  await session.query("load 'auto_explain'");
  for (const setting of ["auto_explain.log_min_duration = 0", "auto_explain.log_nested_statements = on", "auto_explain.log_level = notice"]) await session.query(`set ${setting}`);
  await log.append({ subject: "late" });
  await until(async () => (await sealBatch(db, state, 1_000)).sealed === 1);
  await session.end();
  expect(plans).toHaveLength(1);
  expect(plans[0]).toMatch(/Index Cond: \(id = /);
  expect(plans[0]).not.toMatch(/Join Filter|Filter: .*id = \$/);
});
