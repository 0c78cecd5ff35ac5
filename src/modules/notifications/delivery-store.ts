import type { Db } from "../../platform/database/database.ts";
import { none, sql } from "../../platform/database/sql.ts";
import type { StoredEvent } from "../../platform/events/types.ts";
import { mostAttempts } from "./domain/backoff.ts";

/** Most events of one digest; what is more comes in another part. */
const mostItems = 100;

export interface NewDelivery {
  orgId: string;
  id: string;
  channelId: string;
  ruleId: string | null;
  kind: "event" | "digest" | "test";
  /** RFC 3339. */
  dueAt: string;
  at: string;
}

export async function insertDelivery(db: Db, delivery: NewDelivery, event: StoredEvent): Promise<void> {
  const { orgId, id, channelId, ruleId, kind, dueAt, at } = delivery;
  const digestAt = kind === "digest" ? dueAt : null;
  await db.run(sql`
    insert into notifications.deliveries (org_id, id, channel_id, rule_id, kind, state, digest_at, part, items, attempts, most_attempts, since, next_at, created_at)
    values (${orgId}, ${id}, ${channelId}, ${ruleId}, ${kind}, 'waiting', ${digestAt},
      (select coalesce(max(part), 0) + 1 from notifications.deliveries where rule_id = ${ruleId} and digest_at = ${digestAt}), 1, 0, ${mostAttempts}, ${dueAt}, ${dueAt}, ${at})`);
  await insertItem(db, orgId, id, event);
}

/** Adds to the digest that is due then on the channel and not being sent yet; false where there is none. */
export async function addToDigest(db: Db, delivery: Pick<NewDelivery, "orgId" | "channelId" | "ruleId" | "dueAt">, event: StoredEvent): Promise<boolean> {
  const { orgId, channelId, ruleId, dueAt } = delivery;
  // Its row is locked: whoever takes it for sending waits for the event, or is seen here to have it.
  const open = await db.maybe<{ id: string }>(sql`
    select id from notifications.deliveries where rule_id = ${ruleId} and channel_id = ${channelId} and digest_at = ${dueAt} and state = 'waiting' and attempts = 0 and items < ${mostItems}
    order by part desc limit 1 for update`);
  if (open === undefined) return false;
  await db.run(sql`update notifications.deliveries set items = items + 1 where id = ${open.id}`);
  await insertItem(db, orgId, open.id, event);
  return true;
}

async function insertItem(db: Db, orgId: string, deliveryId: string, event: StoredEvent): Promise<void> {
  await db.run(sql`
    insert into notifications.items (org_id, delivery_id, event_id, position, type, event)
    values (${orgId}, ${deliveryId}, ${event.id}, ${event.position}, ${event.type}, ${JSON.stringify(event)})`);
}

/** Fixes the content of what is due, the longest due first, and answers which. Those that a crash left in sending come again. */
export async function claim(db: Db, channelId: string, at: string, most: number): Promise<string[]> {
  const rows = await db.many<{ id: string }>(sql`
    with due as (
      select org_id, id from notifications.deliveries where channel_id = ${channelId} and state in ('waiting', 'sending') and next_at <= ${at}
      order by next_at, id limit ${most} for update
    )
    update notifications.deliveries d set state = 'sending' from due where d.org_id = due.org_id and d.id = due.id returning d.id`);
  return rows.map(({ id }) => id);
}

export interface Attempt {
  deliveryId: string;
  outcome: "delivered" | "again" | "failed";
  at: string;
  ms: number;
  status: number | null;
  reason: string | null;
  answer: string | null;
  /** When it is tried again; counts for `again` only. */
  nextAt: string;
}

/** Records an attempt and what it leaves; nothing where it ended meanwhile. */
export async function recordAttempt(db: Db, orgId: string, attempt: Attempt): Promise<boolean> {
  const { deliveryId, outcome, at, ms, status, reason, answer, nextAt } = attempt;
  const row = await db.maybe<{ attempts: number }>(sql`
    update notifications.deliveries set attempts = attempts + 1, reason = ${outcome === "delivered" ? null : reason},
      state = ${outcome === "again" ? "waiting" : outcome}, next_at = ${outcome === "again" ? sql`${nextAt}` : sql`next_at`}, ended_at = ${outcome === "again" ? null : at}
    where id = ${deliveryId} and state = 'sending' returning attempts`);
  if (row === undefined) return false;
  await db.run(sql`
    insert into notifications.attempts (org_id, delivery_id, number, at, ms, outcome, status, reason, answer)
    values (${orgId}, ${deliveryId}, ${row.attempts}, ${at}, ${ms}, ${outcome}, ${status}, ${reason}, ${answer})`);
  return true;
}

/** Those that were taken and not tried. */
export async function giveBack(db: Db, ids: readonly string[]): Promise<void> {
  await db.run(sql`update notifications.deliveries set state = 'waiting' where id = any(${ids}::uuid[]) and state = 'sending'`);
}

/** Ends what waits on a channel. */
export async function endWaiting(db: Db, where: { channel: string } | { rule: string }, end: { state: "failed" | "cancelled"; reason: string; at: string }): Promise<number> {
  const which = "channel" in where ? sql`channel_id = ${where.channel}` : sql`rule_id = ${where.rule}`;
  return db.run(sql`
    update notifications.deliveries set state = ${end.state}, reason = ${end.reason}, ended_at = ${end.at} where ${which} and state in ('waiting', 'sending')`);
}

export interface RedriveFilter {
  id?: string;
  channel?: string;
  rule?: string;
  states: readonly string[];
  /** RFC 3339; of when they ended. */
  from?: string;
  to?: string;
  limit: number;
}

/** Has deliveries sent again, on channels that are used; the channels of those that were found. */
export async function redrive(db: Db, { id, channel, rule, states, from, to, limit }: RedriveFilter, at: string): Promise<string[]> {
  const rows = await db.many<{ channel_id: string }>(sql`
    with found as (
      select d.org_id, d.id from notifications.deliveries d join notifications.channels c on c.org_id = d.org_id and c.id = d.channel_id
      where d.state = any(${states}::text[]) and c.enabled ${id === undefined ? none : sql`and d.id = ${id}`} ${channel === undefined ? none : sql`and d.channel_id = ${channel}`}
        ${rule === undefined ? none : sql`and d.rule_id = ${rule}`} ${from === undefined ? none : sql`and d.ended_at >= ${from}`} ${to === undefined ? none : sql`and d.ended_at < ${to}`}
      order by d.id limit ${limit} for update of d
    )
    update notifications.deliveries d set state = 'waiting', most_attempts = d.attempts + ${mostAttempts}, since = ${at}, next_at = ${at}, ended_at = null, reason = null
    from found where d.org_id = found.org_id and d.id = found.id returning d.channel_id`);
  return rows.map((row) => row.channel_id);
}

/**
 * Gives up on what could not be sent since before, the longest due first; whether each tells of more than messages that
 * failed themselves.
 */
export async function giveUp(db: Db, channelId: string, { before, at, reason }: { before: string; at: string; reason: string }, most: number): Promise<{ told: boolean }[]> {
  return db.many(sql`
    with old as (
      select org_id, id from notifications.deliveries where channel_id = ${channelId} and state in ('waiting', 'sending') and since < ${before} order by next_at, id limit ${most} for update
    )
    update notifications.deliveries d set state = 'failed', reason = ${reason}, ended_at = ${at} from old where d.org_id = old.org_id and d.id = old.id
    returning d.kind <> 'test' and exists (
      select from notifications.items i where i.org_id = d.org_id and i.delivery_id = d.id and not starts_with(i.type, 'notifications.')) as told`);
}

/** Removes deliveries of any organization that ended before; the number of them. */
export async function removeEnded(db: Db, before: string, most: number): Promise<number> {
  return db.run(sql`
    delete from notifications.deliveries where (org_id, id) in (select org_id, id from notifications.deliveries where ended_at < ${before} order by ended_at limit ${most})`);
}
