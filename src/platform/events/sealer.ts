import type { Logger } from "pino";
import { sql } from "../database/sql.ts";
import { dbOf, type Database, type Db } from "../database/database.ts";
import { timestamp, type Clock } from "../clock.ts";
import type { Checkpointer } from "./checkpoints.ts";
import type { Hold, Line } from "./line.ts";
import { sealBatch, type SealState } from "./seal-batch.ts";
import { createBell, type Timer } from "./timer.ts";

/** What the sealer tells the metrics, once a second and once a batch. */
export interface SealerMetrics {
  batch?(batch: { events: number; ms: number }): void;
  /** Age of the oldest event without a position: how far the horizon is behind. 0 when all are sealed. */
  sample?(sample: { unsealed: number; horizonAgeMs: number }): void;
}

export interface SealerOptions {
  database: Database;
  /** Its own: it seals on the connection that holds its lock. */
  line: Line;
  clock: Clock;
  timer: Timer;
  log: Logger;
  checkpointer?: Checkpointer;
  metrics?: SealerMetrics;
  batchSize?: number;
}

export interface Sealer {
  /** Whether this process is the one that seals; the others stand by. */
  leading(): boolean;
  stop(): Promise<void>;
}

const pauseMs = 5; // between batches that were not full: fewer, larger commits
const mostPauseMs = 20; // doubled up to here while nothing comes
const awakeMs = 1_000; // without work before it sleeps and writers have to notify
const pollMs = 250;
const standbyMs = 500;
const partitionMonths = 4; // this month and three ahead
const mostCounted = 100_000;

export function startSealer(options: SealerOptions): Sealer {
  const { database, line, clock, timer, log, checkpointer, metrics, batchSize = 1_000 } = options;
  const stopping = new AbortController();
  const bell = createBell(timer);
  const deaf = line.on("events_appended", () => bell.ring());
  let leading = false;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const hold = await line.tryLock("events.sealer");
      if (hold !== undefined) {
        leading = true;
        await lead(hold).catch((error: unknown) => log.error({ err: error }, "the sealer of the event log stopped and starts again"));
        leading = false;
        await hold.release();
      }
      await timer.sleep(standbyMs, stopping.signal);
    }
  }

  async function lead(hold: Hold): Promise<void> {
    const db = dbOf(hold.client, true);
    await prepareSession(db);
    const ended = new AbortController();
    const end = AbortSignal.any([stopping.signal, hold.lost, ended.signal]);
    const beside = Promise.all([
      every(1_000, "sampling the event log", sample),
      every(1_000, "signing checkpoints of the event log", async () => checkpointer?.run()),
      every(3_600_000, "making partitions of the event log", ensurePartitions),
    ]);
    try {
      await seal(db, end);
    } finally {
      ended.abort();
      await beside;
      await database.system((system) => setAsleep(system, true)).catch(() => undefined); // so that the next one is woken
    }

    async function every(ms: number, what: string, work: () => Promise<void> | undefined): Promise<void> {
      while (!end.aborted) {
        await work()?.catch((error: unknown) => log.error({ err: error }, `${what} failed`));
        await timer.sleep(ms, end);
      }
    }
  }

  async function seal(db: Db, end: AbortSignal): Promise<void> {
    const state: SealState = { from: "0", limit: batchSize };
    let asleep: boolean | undefined;
    let quietSince: number | undefined;
    let pause = pauseMs;
    while (!end.aborted) {
      const started = clock.now();
      const { sealed, more } = await sealBatch(db, state, batchSize);
      if (sealed > 0) metrics?.batch?.({ events: sealed, ms: clock.now() - started });
      quietSince = sealed > 0 ? undefined : (quietSince ?? started);
      pause = sealed > 0 ? pauseMs : Math.min(mostPauseMs, 2 * pause);
      const quiet = quietSince !== undefined && started - quietSince >= awakeMs;
      if (quiet !== asleep) {
        await setAsleep(db, quiet);
        asleep = quiet;
        continue; // once more, for what was appended before the writers could see it
      }
      // Rung, it stays awake a while even if it finds nothing: an older transaction may still be the horizon.
      if (!more && (await bell.wait(quiet ? pollMs : pause, end))) quietSince = undefined;
    }
  }

  async function sample(): Promise<void> {
    if (metrics?.sample === undefined) return;
    const row = await database.system((db) => db.one<{ unsealed: number; oldest: Date | null }>(sql`
      select count(*) as unsealed, min(time) as oldest from (select time from events.log where position is null limit ${mostCounted}) u`));
    metrics.sample({ unsealed: row.unsealed, horizonAgeMs: row.oldest === null ? 0 : Math.max(0, clock.now() - row.oldest.getTime()) });
  }

  async function ensurePartitions(): Promise<void> {
    await database.system((db) => db.run(sql`select events.ensure_partitions(${timestamp(clock)}::timestamptz, ${partitionMonths})`));
  }

  const running = run();
  return {
    leading: () => leading,
    async stop() {
      stopping.abort();
      deaf();
      await running;
    },
  };
}

async function setAsleep(db: Db, asleep: boolean): Promise<void> {
  await db.run(sql`update events.sealer set asleep = ${asleep}`);
}

async function prepareSession(db: Db): Promise<void> {
  await db.run(sql`set statement_timeout = '30s'`);
  // The table grows faster than its statistics, and each of these plans is a walk over an index.
  await db.run(sql`set enable_seqscan = off`);
  await db.run(sql`set enable_hashjoin = off`);
  await db.run(sql`set enable_mergejoin = off`);
  await db.run(sql`set plan_cache_mode = force_generic_plan`);
  await db.run(sql`set jit = off`);
  // After a restore into another cluster an old xid can lie in the future: what is visible and not yet begun here is such a one.
  await db.run(sql`update events.log set xid = pg_current_xact_id() where position is null and xid >= pg_snapshot_xmax(pg_current_snapshot())`);
}
