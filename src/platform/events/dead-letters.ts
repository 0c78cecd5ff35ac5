import type { Database, Db } from "../database/database.ts";
import { join, sql } from "../database/sql.ts";
import { storedEvent } from "./cloud-event.ts";
import { readerDays } from "./partitions.ts";
import type { StoredEvent } from "./types.ts";

/** An event that a subscription, or a group of the bus on the log, has given up on. */
export interface ParkedEvent {
  subscription: string;
  event: StoredEvent;
  /** So far. */
  attempts: number;
  /** Why the last one failed. */
  reason: string;
  at: Date;
  /** Somebody has asked that it be handled once more, and that has not happened yet. */
  asked: boolean;
}

interface Row {
  subscription: string;
  position: number;
  body: string;
  attempts: number;
  reason: string;
  at: Date;
}

const parked = sql`select d.subscription, d.position, l.body, d.attempts, d.reason, d.at
  from events.dead_letters d join events.log l on l.id = d.event_id and l.org_id = d.org_id`;

/** Those that the transaction sees, newest event first; `before` is the last of the page before. */
export async function parkedEvents(db: Db, page: { subscription?: string; before?: { position: number; subscription: string }; limit: number }): Promise<ParkedEvent[]> {
  const where = [sql`true`];
  if (page.subscription !== undefined) where.push(sql`d.subscription = ${page.subscription}`);
  if (page.before !== undefined) where.push(sql`(d.position, d.subscription) < (${page.before.position}, ${page.before.subscription})`);
  return (await db.many<Row>(sql`${parked} where ${join(where, " and ")} order by d.position desc, d.subscription desc limit ${page.limit}`)).map(shown);
}

export async function parkedEvent(db: Db, subscription: string, eventId: string): Promise<ParkedEvent | undefined> {
  const row = await db.maybe<Row>(sql`${parked} where d.subscription = ${subscription} and d.event_id = ${eventId}`);
  return row === undefined ? undefined : shown(row);
}

/**
 * Has one dead letter, or all of the subscription, handled once more by whoever follows it, as soon as the transaction
 * commits; the number of them. One that is asked for already counts too.
 */
export async function askRedrive(db: Db, subscription: string, eventId?: string): Promise<number> {
  const one = eventId === undefined ? sql`true` : sql`event_id = ${eventId}`;
  const asked = await db.run(sql`update events.dead_letters set attempts = -abs(attempts) where subscription = ${subscription} and ${one}`);
  if (asked > 0) await db.run(sql`select pg_notify('events_redrive', '')`);
  return asked;
}

/** Whether somebody follows the subscription, or did within the days after which a reader is taken for gone. `now`: milliseconds since 1970. */
export async function isFollowed(db: Db, subscription: string, now: number): Promise<boolean> {
  const since = new Date(now - readerDays * 86_400_000).toISOString();
  return (await db.maybe(sql`select name from events.subscriptions where name = ${subscription} and seen_at > ${since}`)) !== undefined;
}

/** Those of all organizations that are to be handled once more, in the order of the log. */
export async function askedEvents(database: Database, subscription: string, limit: number): Promise<StoredEvent[]> {
  const rows = await database.system((db) => db.many<Row>(sql`${parked} where d.subscription = ${subscription} and d.attempts < 0 order by d.position limit ${limit}`));
  return rows.map(storedEvent);
}

export async function park(database: Database, subscription: string, event: StoredEvent, failure: { attempts: number; reason: string; at: string }): Promise<void> {
  const { attempts, reason, at } = failure;
  await database.system((db) => db.run(sql`
    insert into events.dead_letters as d (subscription, event_id, org_id, position, attempts, reason, at)
    values (${subscription}, ${event.id}, ${event.orgId}, ${event.position}, ${attempts}, ${reason}, ${at})
    on conflict (subscription, event_id, org_id) do update set attempts = abs(d.attempts) + excluded.attempts, reason = excluded.reason, at = excluded.at`));
}

export async function unpark(database: Database, subscription: string, event: StoredEvent): Promise<void> {
  await database.system((db) => db.run(sql`delete from events.dead_letters where subscription = ${subscription} and event_id = ${event.id} and org_id = ${event.orgId}`));
}

function shown(row: Row): ParkedEvent {
  const { subscription, attempts, reason, at } = row;
  return { subscription, event: storedEvent(row), attempts: Math.abs(attempts), reason, at, asked: attempts < 0 };
}
