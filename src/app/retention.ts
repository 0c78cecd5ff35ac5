import type { Logger } from "pino";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { errorType, fail } from "../platform/errors.ts";
import { openLine, removeDeadLetters, retirePartitions, type CheckpointBlobs, type Fold, type Retirement, type Timer } from "../platform/events/index.ts";
import { removeOldRuns } from "../platform/workflow/index.ts";

export const RetentionUnknown = errorType("retention-unknown", 503, "RETENTION names a table whose rows cannot be retired");

export interface RetentionPorts {
  database: Database;
  /** Those that count for no quota: an organization does not choose what is moved there. */
  blobs: CheckpointBlobs;
  clock: Clock;
  timer: Timer;
  log: Logger;
  /** Months by `schema.table`. */
  policy: Readonly<Record<string, number>>;
  /** Of every module whose streams are folded. */
  folds: readonly Fold<unknown>[];
}

export interface Retention {
  /** Does what is due. One server at a time; the others find nothing to do. */
  run(stop: AbortSignal): Promise<void>;
  /** Months of the event log that were due and had to stay. */
  kept(): Retirement["kept"];
}

interface Retainable {
  what: string;
  retire(ports: RetentionPorts, months: number, stop: AbortSignal): Promise<Retirement["kept"]>;
}

/** Every table that a policy may name, and how its rows go, in this order: a parked event keeps its month in the log. */
const retainable: Readonly<Record<string, Retainable>> = {
  "events.dead_letters": {
    what: "events that a subscription gave up on are forgotten",
    async retire({ database, clock, log }, months) {
      const removed = await removeDeadLetters(database, monthsBefore(clock.now(), months));
      if (removed > 0) log.info({ removed }, "old parked events were forgotten");
      return [];
    },
  },
  "platform.workflow_runs": {
    what: "runs of workflows that are over are removed, with what their steps did and the runs that they started",
    async retire({ database, clock, log }, months, stop) {
      const removed = await removeOldRuns(database, monthsBefore(clock.now(), months), stop);
      if (removed > 0) log.info({ removed }, "old runs of workflows were removed");
      return [];
    },
  },
  "events.log": {
    what: "whole months of events move into the blobs, where the audit log and verify read them",
    async retire(ports, months, stop) {
      const { database, timer, log } = ports;
      const line = openLine(database, { timer, log });
      try {
        const done = await retirePartitions({ ...ports, line, months, stop });
        if (done === undefined) return [];
        for (const { partition, why } of done.kept) log.warn({ partition, why }, "a month of the event log is due and has to stay");
        if (done.retired.length > 0) log.info({ partitions: done.retired }, "old months of the event log moved into the blobs");
        return done.kept;
      } finally {
        await line.close();
      }
    },
  },
};

/** Refuses what no rule is for, before anything is started. Errors: RetentionUnknown. */
export function checkRetention(policy: Readonly<Record<string, number>>): void {
  const unknown = Object.keys(policy).find((table) => !Object.hasOwn(retainable, table));
  if (unknown === undefined) return;
  const known = Object.entries(retainable).map(([table, { what }]) => `${table} (${what})`).join("; ");
  fail(RetentionUnknown, `${unknown} is not one of these: ${known}.`);
}

export function createRetention(ports: RetentionPorts): Retention {
  let kept: Retirement["kept"] = [];
  return {
    async run(stop) {
      const found: Retirement["kept"] = [];
      for (const [table, rule] of Object.entries(retainable)) {
        const months = ports.policy[table];
        if (months !== undefined && !stop.aborted) found.push(...(await rule.retire(ports, months, stop)));
      }
      kept = found;
    },
    kept: () => kept,
  };
}

function monthsBefore(now: number, months: number): Date {
  const date = new Date(now);
  date.setUTCMonth(date.getUTCMonth() - months);
  return date;
}
