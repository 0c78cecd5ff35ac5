import { sql } from "../database/sql.ts";
import type { Database, Db } from "../database/database.ts";

/** The events of one month, wherever they lie: what is retired at once. */
export interface Month {
  /** `log_YYYYMM`, or `log_default_YYYYMM` where the default partition holds them. */
  partition: string;
  ofDefault: boolean;
  /** UUIDv7s: from inclusive, to exclusive. */
  from: string;
  to: string;
}

/** Bounds of a month by the ids of its events. `yyyymm` as 202611. */
export function monthOf(yyyymm: number, ofDefault: boolean): Month {
  const [year, month] = [Math.floor(yyyymm / 100), yyyymm % 100];
  return { partition: `log_${ofDefault ? "default_" : ""}${yyyymm}`, ofDefault, from: firstId(Date.UTC(year, month - 1)), to: firstId(Date.UTC(year, month)) };
}

/** The month in UTC, as 202611. */
export function yyyymmOf(time: number): number {
  const date = new Date(time);
  return date.getUTCFullYear() * 100 + date.getUTCMonth() + 1;
}

/** First month that is kept whole, so that nothing goes before it is so many months old. */
export function firstKept(now: number, months: number): number {
  const date = new Date(now);
  return yyyymmOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months));
}

/** The smallest UUIDv7 of a time, by which PostgreSQL leaves out partitions. */
export function firstId(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** Months before `kept` whose events are in the log, oldest first. */
export async function monthsBefore(database: Database, kept: number): Promise<Month[]> {
  const { names, oldest } = await database.system(async (db) => ({
    names: await db.many<{ name: string }>(sql`
      select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'events.log'::regclass order by 1`),
    oldest: await oldestOfDefault(db, monthOf(kept, true).from),
  }));
  const own = names.flatMap(({ name }) => {
    const month = Number(/^log_(\d{6})$/.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
    return month < kept ? [monthOf(month, false)] : [];
  });
  return [...own, ...oldest.map((month) => monthOf(month, true))].sort((a, b) => (a.from < b.from ? -1 : 1));
}

/** Months of which the default partition holds events: those before the first partitions were made. */
async function oldestOfDefault(db: Db, before: string): Promise<number[]> {
  const found: number[] = [];
  let from = firstId(0);
  for (;;) {
    const row = await db.maybe<{ id: string }>(sql`
      select id from events.log where id >= ${from} and id < ${before} and tableoid = 'events.log_default'::regclass order by id limit 1`);
    if (row === undefined) return found;
    const month = yyyymmOf(Number.parseInt(row.id.replaceAll("-", "").slice(0, 12), 16));
    found.push(month);
    from = monthOf(month, true).to;
  }
}

/** Partitions that were taken out of the log and not dropped: a server ended in between. */
export async function detached(database: Database): Promise<string[]> {
  const rows = await database.system((db) => db.many<{ name: string }>(sql`
    select c.relname as name from pg_class c where c.relnamespace = 'events'::regnamespace and c.relkind = 'r' and not c.relispartition
      and starts_with(c.relname, 'log_') order by 1`));
  return rows.map(({ name }) => name).filter((name) => /^log_\d{6}$/.test(name));
}

/** Days after which a reader that has neither begun nor moved is taken for gone. */
export const readerDays = 30;

/** Why the events of a month have to stay in the log for now; undefined where nothing keeps them. */
export async function keptBy(db: Db, { from, to }: Month, now: number): Promise<string | undefined> {
  const row = await db.one<{ unsealed: number; top: number | null }>(sql`
    select count(*) filter (where position is null) as unsealed, max(position) as top from events.log where id >= ${from} and id < ${to}`);
  if (row.unsealed > 0) return `${row.unsealed} of its events are not in the chain yet`;
  const unsigned = await db.maybe<{ org_id: string }>(sql`
    select l.org_id from events.log l where l.id >= ${from} and l.id < ${to} group by l.org_id
    having max(l.org_seq) > coalesce((select max(c.seq) from events.checkpoints c where c.org_id = l.org_id), 0) limit 1`);
  if (unsigned !== undefined) return `events of organization ${unsigned.org_id} are not signed yet`;
  const reader = await db.maybe<{ name: string; position: number }>(sql`
    select name, position from events.subscriptions where position < ${row.top ?? 0} and seen_at > ${new Date(now - readerDays * 86_400_000).toISOString()} order by position limit 1`);
  if (reader !== undefined) return `the reader ${reader.name} is only at position ${reader.position}; one that does not run any more counts for ${readerDays} days`;
  const parked = await db.maybe<{ subscription: string; event_id: string }>(sql`
    select subscription, event_id from events.dead_letters where event_id >= ${from} and event_id < ${to} limit 1`);
  if (parked !== undefined) return `its event ${parked.event_id} is parked at ${parked.subscription}; drive it again, or let dead letters be retired`;
  return undefined;
}
