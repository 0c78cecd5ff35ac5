import type { Logger } from "pino";
import { sql } from "../database/sql.ts";
import { timestamp } from "../clock.ts";
import { exportMonth, type ExportPorts, type PartLimits } from "./export-month.ts";
import { snapshotStream, type Fold } from "./fold.ts";
import type { Line } from "./line.ts";
import { detached, firstKept, keptBy, monthsBefore, type Month } from "./partitions.ts";

export interface RetireOptions extends ExportPorts {
  /** For the lock: one server retires at a time. */
  line: Line;
  log: Logger;
  /** How long the log keeps events. */
  months: number;
  /** Of every kind of stream whose state is folded from its events. */
  folds?: readonly Fold<unknown>[];
  limits?: PartLimits;
  /** What is under way ends at the next file; it goes on from there another time. */
  stop?: AbortSignal;
}

export interface Retirement {
  /** Months whose events left the log. */
  retired: string[];
  kept: { partition: string; why: string }[];
}

const usualLimits: PartLimits = { events: 10_000, bytes: 16 * 1024 * 1024 };

/**
 * Moves months that are older than the log is kept into the blobs. Each step can be repeated after a crash: files that
 * are recorded were read back, a partition leaves the log in the transaction that makes its files count, and is dropped after.
 * Undefined while another server does it.
 */
export async function retirePartitions(options: RetireOptions): Promise<Retirement | undefined> {
  const hold = await options.line.tryLock("events.retire");
  if (hold === undefined) return undefined;
  const done: Retirement = { retired: [], kept: [] };
  const end = options.stop === undefined ? hold.lost : AbortSignal.any([hold.lost, options.stop]);
  try {
    for (const partition of await detached(options.database)) await dropDetached(options, partition);
    for (const month of await monthsBefore(options.database, firstKept(options.clock.now(), options.months))) {
      if (end.aborted) return done;
      const why = await retire(options, month, end).catch((error: unknown) => {
        if (end.aborted) return "it goes on from there another time";
        options.log.error({ err: error, partition: month.partition }, "a month of the event log could not be retired");
        return (error as Error).message;
      });
      if (why === undefined) done.retired.push(month.partition);
      else done.kept.push({ partition: month.partition, why });
    }
    return done;
  } finally {
    await hold.release();
  }
}

async function retire(options: RetireOptions, month: Month, end: AbortSignal): Promise<string | undefined> {
  const { database, clock } = options;
  const why = await database.system((db) => keptBy(db, month, clock.now()));
  if (why !== undefined) return why;
  const organizations = await database.system((db) => db.many<{ org_id: string }>(sql`
    select distinct org_id from events.log where id >= ${month.from} and id < ${month.to} order by 1`));
  for (const { org_id: orgId } of organizations) await exportMonth(options, month, orgId, options.limits ?? usualLimits, end);
  await snapshotStreams(options, month);
  end.throwIfAborted();
  if (month.ofDefault) {
    await emptyDefault(options, month);
  } else {
    await detach(options, month);
    await dropDetached(options, month.partition);
  }
  return undefined;
}

/** Every stream with an event of the month whose state is folded from its events gets a snapshot that holds them. */
async function snapshotStreams({ database, folds = [] }: RetireOptions, { from, to }: Month): Promise<void> {
  for (const fold of folds) {
    const streams = await database.system((db) => db.many<{ org_id: string; stream: string }>(sql`
      select l.org_id, l.stream from events.log l join events.streams s on s.org_id = l.org_id and s.stream = l.stream
      where l.id >= ${from} and l.id < ${to} and starts_with(l.stream, ${fold.prefix})
      group by l.org_id, l.stream, s.snapshot_version, s.snapshot_schema
      having coalesce(s.snapshot_version, 0) < max(l.version) or s.snapshot_schema <> ${fold.schema}`));
    for (const { org_id: orgId, stream } of streams) await database.tenant(orgId, (db) => snapshotStream(db, orgId, stream, fold));
  }
}

async function detach({ database, clock }: RetireOptions, month: Month): Promise<void> {
  await database.system(async (db) => {
    const differing = await db.maybe<{ org_id: string; held: number; exported: number }>(sql`
      select l.org_id, l.held, coalesce(e.exported, 0) as exported
      from (select org_id, count(*) as held from events.log where id >= ${month.from} and id < ${month.to} group by org_id) l
      left join (select org_id, sum(events) as exported from events.exports where partition = ${month.partition} group by org_id) e on e.org_id = l.org_id
      where l.held is distinct from e.exported limit 1`);
    if (differing !== undefined) throw new Error(`${month.partition} holds ${differing.held} events of organization ${differing.org_id}, of which ${differing.exported} were exported`);
    await db.run(sql`select events.detach_partition(${month.partition})`);
    await db.run(sql`update events.exports set retired_at = ${timestamp(clock)} where partition = ${month.partition} and retired_at is null`);
  });
}

async function dropDetached({ database, log }: RetireOptions, partition: string): Promise<void> {
  await database.system(async (db) => {
    const { orgs, events } = await db.one<{ orgs: string[]; events: number }>(sql`
      select coalesce(array_agg(distinct org_id), '{}') as orgs, coalesce(sum(events), 0) as events from events.exports where partition = ${partition} and retired_at is not null`);
    await db.run(sql`select events.drop_detached(${partition}, ${orgs}, ${events})`);
  }).catch((error: unknown) => {
    // Nothing is lost: it stays as a table of its own, and is tried again.
    log.error({ err: error, partition }, "a partition that is out of the event log could not be dropped");
  });
}

/** File by file, each with the rows that it holds, so that an event is in one of the two places at any moment. */
async function emptyDefault({ database, clock }: RetireOptions, month: Month): Promise<void> {
  const parts = await database.system((db) => db.many<{ org_id: string; part: number; events: number; first_seq: number; last_seq: number }>(sql`
    select org_id, part, events, first_seq, last_seq from events.exports where partition = ${month.partition} and retired_at is null order by org_id, part`));
  for (const { org_id: orgId, part, events, first_seq: first, last_seq: last } of parts) {
    await database.system(async (db) => {
      const removed = await db.run(sql`
        delete from events.log where org_id = ${orgId} and id >= ${month.from} and id < ${month.to} and org_seq >= ${first} and org_seq <= ${last}`);
      if (removed !== events) throw new Error(`file ${part} of ${month.partition} holds ${events} events of organization ${orgId}, the log ${removed} of them`);
      await db.run(sql`update events.exports set retired_at = ${timestamp(clock)} where org_id = ${orgId} and partition = ${month.partition} and part = ${part}`);
    });
  }
}
