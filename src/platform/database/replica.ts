import type pg from "pg";
import type { Logger } from "pino";

/** `none`: no replica is configured. Reads go to it while it is `ok`. */
export type ReplicaState = "none" | "ok" | "behind" | "does not answer" | "not a replica of this database";

export interface ReplicaStatus {
  state: ReplicaState;
  /** Whole seconds, rounded up; absent while nothing is known. */
  staleSeconds?: number;
}

/** How old a replica's answers may be, from positions of the write-ahead log alone: no clock but ours is asked. */
export interface Lag {
  /** What the primary had written when it was asked at `at`, in milliseconds. */
  written(at: number, lsn: number): void;
  /** What the replica has replayed, asked after that. */
  replayed(lsn: number): void;
  /** Everything committed before this time is on the replica; undefined while nothing is known. */
  upTo(): number | undefined;
}

const mostSamples = 120;

/** A replica that has replayed what the primary had written at a time holds everything committed until then, also where the primary is idle. */
export function createLag(): Lag {
  const samples: { at: number; lsn: number }[] = [];
  let last = 0;
  let upTo: number | undefined;
  return {
    written(at, lsn) {
      samples.push({ at, lsn });
      if (samples.length > mostSamples) samples.splice(1, 1); // with fewer samples it seems older, never newer
    },
    replayed(lsn) {
      if (lsn < last) upTo = undefined; // made anew from an older copy
      last = lsn;
      for (let first = samples[0]; first !== undefined && first.lsn <= lsn; first = samples[0]) {
        upTo = first.at;
        samples.shift();
      }
    },
    upTo: () => upTo,
  };
}

export interface ReplicaWatch {
  /** Milliseconds of `now` up to which the replica holds every commit; undefined while it is not to be read. */
  readableUpTo(): number | undefined;
  status(): ReplicaStatus;
  /** A read of it failed: it is left alone until it has answered again. */
  failed(): void;
  /** Asks both once; the timer does it by itself. */
  poll(): Promise<void>;
  stop(): void;
}

export interface WatchOptions {
  primary: Pick<pg.Pool, "query">;
  replica: Pick<pg.Pool, "query">;
  log: Logger;
  /** Milliseconds that never go back. */
  now(): number;
  everyMs?: number;
  /** Older answers are not given. */
  limitMs?: number;
}

const answerMs = 2_000;
// What is committed is flushed, and the end of the last flushed record is what a standby that has it all says too.
const ofPrimary = "select (pg_current_wal_flush_lsn() - '0/0'::pg_lsn) as lsn, (select system_identifier::text from pg_control_system()) as cluster";
const ofReplica = "select pg_is_in_recovery() as standby, (pg_last_wal_replay_lsn() - '0/0'::pg_lsn) as lsn, (select system_identifier::text from pg_control_system()) as cluster";

/** Asks primary and replica each second how far they are. */
export function watchReplica({ primary, replica, log, now, everyMs = 1_000, limitMs = 30_000 }: WatchOptions): ReplicaWatch {
  let lag = createLag();
  let state: ReplicaState = "does not answer";
  let polling: Promise<void> | undefined;

  function turn(next: ReplicaState, why?: unknown): void {
    if (next !== state) log[next === "ok" ? "info" : "warn"](why === undefined ? {} : { err: why }, `the read replica: ${next}`);
    state = next;
  }

  async function ask(): Promise<void> {
    try {
      const at = now();
      const wrote = await one<{ lsn: number; cluster: string }>(primary, ofPrimary).catch(() => undefined);
      const has = await one<{ standby: boolean; lsn: number | null; cluster: string }>(replica, ofReplica);
      if (!has.standby || has.lsn === null || (wrote !== undefined && wrote.cluster !== has.cluster)) {
        lag = createLag();
        return turn("not a replica of this database");
      }
      if (wrote !== undefined) lag.written(at, wrote.lsn);
      lag.replayed(has.lsn);
      const upTo = lag.upTo();
      turn(upTo !== undefined && now() - upTo <= limitMs ? "ok" : "behind");
    } catch (error) {
      turn("does not answer", error);
    }
  }

  function poll(): Promise<void> {
    polling ??= ask().finally(() => (polling = undefined));
    return polling;
  }

  void poll();
  const timer = setInterval(() => void poll(), everyMs);
  timer.unref();
  return {
    poll,
    readableUpTo() {
      const upTo = lag.upTo();
      return state === "ok" && upTo !== undefined && now() - upTo <= limitMs ? upTo : undefined;
    },
    status() {
      const upTo = lag.upTo();
      return { state: state === "ok" && (upTo === undefined || now() - upTo > limitMs) ? "behind" : state, ...(upTo === undefined ? {} : { staleSeconds: seconds(now() - upTo) }) };
    },
    failed: () => turn("does not answer"),
    stop: () => clearInterval(timer),
  };
}

export const seconds = (ms: number): number => Math.max(0, Math.ceil(ms / 1_000));

async function one<Row extends pg.QueryResultRow>(pool: Pick<pg.Pool, "query">, text: string): Promise<Row> {
  const { rows } = await pool.query<Row>({ text, query_timeout: answerMs } as pg.QueryConfig);
  return rows[0] as Row;
}
