import type { Db } from "../../platform/database/database.ts";
import { join, sql } from "../../platform/database/sql.ts";
import type { StoredEvent } from "../../platform/events/types.ts";
import type { Template } from "./domain/message.ts";
import { channelTypeId, deliveryTypeId, ruleTypeId } from "./ids.ts";
import type { Delivery } from "./schemas.ts";

export interface DeliveryRow {
  id: string;
  channel_id: string;
  rule_id: string | null;
  kind: "event" | "digest" | "test";
  state: Delivery["state"];
  items: number;
  attempts: number;
  reason: string | null;
  next_at: Date;
  created_at: Date;
  ended_at: Date | null;
}

const columns = sql`select d.id, d.channel_id, d.rule_id, d.kind, d.state, d.items, d.attempts, d.reason, d.next_at, d.created_at, d.ended_at from notifications.deliveries d`;

export interface DeliveryFilter {
  channel?: string;
  rule?: string;
  state?: string;
  /** UUID of the last of the page before. */
  after?: string;
  limit: number;
}

/** Newest first. */
export async function listDeliveries(db: Db, { channel, rule, state, after, limit }: DeliveryFilter): Promise<Delivery[]> {
  const conditions = [
    sql`true`,
    ...(channel === undefined ? [] : [sql`d.channel_id = ${channel}`]), ...(rule === undefined ? [] : [sql`d.rule_id = ${rule}`]),
    ...(state === undefined ? [] : [sql`d.state = ${state}`]), ...(after === undefined ? [] : [sql`d.id < ${after}`]),
  ];
  return (await db.many<DeliveryRow>(sql`${columns} where ${join(conditions, " and ")} order by d.id desc limit ${limit}`)).map(toDelivery);
}

export async function deliveryById(db: Db, id: string): Promise<Delivery | undefined> {
  const row = await db.maybe<DeliveryRow>(sql`${columns} where d.id = ${id}`);
  return row === undefined ? undefined : toDelivery(row);
}

export interface AttemptRow {
  number: number;
  at: Date;
  ms: number;
  outcome: "delivered" | "again" | "failed";
  status: number | null;
  reason: string | null;
  answer: string | null;
}

export async function attemptsOf(db: Db, deliveryId: string): Promise<AttemptRow[]> {
  return db.many(sql`select number, at, ms, outcome, status, reason, answer from notifications.attempts where delivery_id = ${deliveryId} order by number`);
}

export async function eventsOf(db: Db, deliveryId: string): Promise<StoredEvent[]> {
  const rows = await db.many<{ event: StoredEvent }>(sql`select event from notifications.items where delivery_id = ${deliveryId} order by position, event_id`);
  return rows.map(({ event }) => event);
}

/** What a message is made of. */
export interface ToSend {
  id: string;
  kind: DeliveryRow["kind"];
  attempts: number;
  most_attempts: number;
  since: Date;
  rule: string | null;
  template: Template | null;
  events: StoredEvent[];
}

/** Of those that `claim` has taken. */
export async function contentsOf(db: Db, ids: readonly string[]): Promise<ToSend[]> {
  return db.many(sql`
    select d.id, d.kind, d.attempts, d.most_attempts, d.since, r.name as rule, r.template,
      coalesce((select jsonb_agg(i.event order by i.position, i.event_id) from notifications.items i where i.org_id = d.org_id and i.delivery_id = d.id), '[]') as events
    from notifications.deliveries d left join notifications.rules r on r.org_id = d.org_id and r.id = d.rule_id
    where d.id = any(${ids}::uuid[]) order by d.next_at, d.id`);
}

/** Types of the events that deliveries of a channel hold. */
export async function typesHeldFor(db: Db, channelId: string): Promise<string[]> {
  const rows = await db.many<{ type: string }>(sql`
    select distinct i.type from notifications.deliveries d join notifications.items i on i.org_id = d.org_id and i.delivery_id = d.id where d.channel_id = ${channelId}`);
  return rows.map(({ type }) => type);
}

/** When the next is due on a channel; undefined where nothing waits. */
export async function nextDue(db: Db, channelId: string): Promise<Date | undefined> {
  const { at } = await db.one<{ at: Date | null }>(sql`select min(next_at) as at from notifications.deliveries where channel_id = ${channelId} and state in ('waiting', 'sending')`);
  return at ?? undefined;
}

/** Names of images and assets by their UUID; people are told of by their id alone. */
export async function namesOfSubjects(db: Db, images: readonly string[], assets: readonly string[]): Promise<Map<string, string>> {
  const rows = await db.many<{ id: string; name: string }>(sql`
    select id, family || ' ' || version as name from images.api_images where id = any(${images}::uuid[])
    union all select id, name from inventory.api_assets where id = any(${assets}::uuid[])`);
  return new Map(rows.map(({ id, name }) => [id, name]));
}

function toDelivery(row: DeliveryRow): Delivery {
  const open = row.state === "waiting" || row.state === "sending";
  return {
    id: deliveryTypeId(row.id), channel: channelTypeId(row.channel_id), rule: row.rule_id === null ? null : ruleTypeId(row.rule_id), kind: row.kind, state: row.state,
    events: row.items, attempts: row.attempts, reason: row.reason, nextAt: open ? row.next_at.toISOString() : null,
    createdAt: row.created_at.toISOString(), endedAt: row.ended_at?.toISOString() ?? null,
  };
}
