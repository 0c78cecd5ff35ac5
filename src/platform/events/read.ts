import { join, sql, type Query } from "../database/sql.ts";
import type { Db } from "../database/database.ts";
import { parseCloudEvent, storedEvent } from "./cloud-event.ts";
import { firstId } from "./partitions.ts";
import type { StoredEvent } from "./types.ts";

/** Events after a position, oldest first. `end` is the position up to which nothing more of the asked types is to come. */
export interface PositionPage {
  events: StoredEvent[];
  end: number;
  /** Whether there is more to read at once. */
  more: boolean;
}

const window = 5_000; // most positions that one statement walks over

/** By position, of the given types (all without); events that `skipHandledBy` has handled already are left out. */
export async function readByPosition(
  db: Db, after: number, options: { types?: readonly string[]; limit: number; skipHandledBy?: string },
): Promise<PositionPage> {
  const { types, limit, skipHandledBy } = options;
  const rows = await db.many<{ top: number; position: number | null; body: string; handled: boolean }>(sql`
    select h.top, l.position, l.body, l.handled from (select least(position, ${after}::bigint + ${window}::bigint) as top from events.head) h
    left join lateral (
      select e.position, e.body, exists (
        select 1 from events.handled d where d.subscription = ${skipHandledBy ?? null} and d.event_id = e.id and d.org_id = e.org_id
      ) as handled
      from events.log e
      where e.position > ${after} and e.position <= h.top and (${types ?? null}::text[] is null or e.type = any(${types ?? null}))
      order by e.position limit ${limit}
    ) l on true order by l.position`);
  const found = rows.filter((row): row is typeof row & { position: number } => row.position !== null);
  const full = found.length === limit;
  return {
    events: found.filter((row) => !row.handled).map(storedEvent),
    end: Math.max(after, full ? (found.at(-1)?.position ?? after) : (rows[0]?.top ?? after)),
    more: full || (rows[0]?.top ?? after) === after + window,
  };
}

export async function headPosition(db: Db): Promise<number> {
  return (await db.one<{ position: number }>(sql`select position from events.head`)).position;
}

/** What the events of an organization were about. */
export interface SubjectsChanged {
  orgId: string;
  subjects: string[];
}

/** What changed after a position, by organization, and the position up to which that is all. */
export async function changedAfter(db: Db, after: number): Promise<{ end: number; changes: SubjectsChanged[] }> {
  const { top, changes } = await db.one<{ top: number; changes: SubjectsChanged[] | null }>(sql`
    select h.top, (
      select jsonb_agg(jsonb_build_object('orgId', o.org_id, 'subjects', o.subjects)) from (
        select org_id, array_agg(distinct subject) as subjects from events.log where position > ${after} and position <= h.top group by org_id
      ) o
    ) as changes
    from (select least(position, ${after}::bigint + ${window}::bigint) as top from events.head) h`);
  return { end: top, changes: changes ?? [] };
}

/** A sealed event with what only the audit log shows. */
export interface AuditEvent extends StoredEvent {
  orgSeq: number;
  door: string;
  ai: boolean;
  /** Hex SHA-256 of `body`, the CloudEvents JSON as it was appended. */
  hash: string;
  chainHash: string;
  body: string;
}

export interface AuditQuery {
  type?: string;
  subject?: string;
  /** TypeID of the user or key, or `system`. */
  actor?: string;
  /** RFC 3339; from inclusive, to exclusive. */
  from?: string;
  to?: string;
  /** `newest` first unless told otherwise. */
  order?: "newest" | "oldest";
  /** `orgSeq` of the last event of the page before. */
  cursor?: number;
  limit: number;
}

const clockSlackMs = 60_000; // an id's time may run ahead of its event's time by as much as its counter overflowed

/** The audit log of an organization, by keyset over its gapless sequence. */
export async function readLog(db: Db, orgId: string, query: AuditQuery): Promise<AuditEvent[]> {
  const { order = "newest" } = query;
  const where: Query[] = [sql`org_id = ${orgId}`, sql`org_seq is not null`];
  if (query.type !== undefined) where.push(sql`type = ${query.type}`);
  if (query.subject !== undefined) where.push(sql`subject = ${query.subject}`);
  if (query.actor !== undefined) where.push(sql`actor = ${query.actor}`);
  if (query.from !== undefined) where.push(sql`time >= ${query.from}`, sql`id >= ${idAt(query.from, -clockSlackMs)}`);
  if (query.to !== undefined) where.push(sql`time < ${query.to}`, sql`id < ${idAt(query.to, clockSlackMs)}`);
  if (query.cursor !== undefined) where.push(order === "newest" ? sql`org_seq < ${query.cursor}` : sql`org_seq > ${query.cursor}`);
  const rows = await db.many<{ position: number; org_seq: number; body: string; hash: Buffer; chain_hash: Buffer }>(sql`
    select position, org_seq, body, hash, chain_hash from events.log where ${join(where, " and ")}
    order by ${order === "newest" ? sql`org_seq desc` : sql`org_seq`} limit ${query.limit}`);
  return rows.map((row) => auditEvent({ ...row, seq: row.org_seq, chainHash: row.chain_hash }));
}

export function auditEvent(row: { seq: number; position: number; hash: Buffer; chainHash: Buffer; body: string }): AuditEvent {
  const { door, ai } = parseCloudEvent(row.body);
  return { ...storedEvent(row), orgSeq: row.seq, door, ai, hash: row.hash.toString("hex"), chainHash: row.chainHash.toString("hex"), body: row.body };
}

/** The events of one stream by version, sealed or not: what a fold inside a transaction reads. */
export async function readStream(db: Db, orgId: string, stream: string, afterVersion: number, limit: number): Promise<Omit<StoredEvent, "position">[]> {
  const rows = await db.many<{ body: string }>(sql`
    select body from events.log where org_id = ${orgId} and stream = ${stream} and version > ${afterVersion} order by version limit ${limit}`);
  return rows.map(({ body }) => {
    const { position: _none, ...event } = storedEvent({ position: 0, body });
    return event;
  });
}

/** The smallest id of a time, for leaving out partitions. */
function idAt(time: string, slackMs: number): string {
  const ms = Date.parse(time) + slackMs;
  if (!Number.isFinite(ms)) throw new TypeError("the time is not RFC 3339");
  return firstId(ms);
}
