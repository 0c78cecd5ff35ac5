import { sql } from "../../../database/sql.ts";
import type { Database } from "../../../database/database.ts";
import { parseCloudEvent, type CloudEvent } from "../../cloud-event.ts";

/** An event of the log as the bus gives it. */
export interface LoggedEvent {
  position: number;
  event: CloudEvent;
}

export interface ParkedEvent extends LoggedEvent {
  attempts: number;
  reason: string;
  at: Date;
}

/**
 * What the bus asks of the log. A topic is the events whose type begins with `prefix`; a group is a row of
 * events.subscriptions under `name`. A dead letter that is to be given again has its attempts below zero.
 */
export interface BusStore {
  /** How many of these events are in the log, and how many of them have their position. */
  known(events: readonly { id: string; orgId: string }[]): Promise<{ found: number; sealed: number }>;
  /** Where there is no such group yet, or `replay`, it stands at `from`, a position being the first that comes. */
  begin(name: string, from: "new" | "start" | number, replay: boolean): Promise<void>;
  checkpoint(name: string): Promise<number>;
  /** Never moves back, so that a reader that lost its lock does no harm. */
  save(name: string, position: number): Promise<void>;
  /** Marks what is handled although the checkpoint lies before it, so that the next reader leaves it out. */
  mark(name: string, events: readonly CloudEvent[], at: string): Promise<void>;
  /** Oldest first; `end` is the position up to which nothing more is to come. */
  read(name: string, prefix: string, after: number, limit: number): Promise<{ events: LoggedEvent[]; end: number }>;
  park(name: string, event: LoggedEvent, attempts: number, reason: string, at: string): Promise<void>;
  parked(name: string, limit: number): Promise<ParkedEvent[]>;
  /** Whether there is such a dead letter. */
  askAgain(name: string, eventId: string): Promise<boolean>;
  /** Those that are to be given again. */
  asked(name: string, limit: number): Promise<LoggedEvent[]>;
  forget(name: string, event: CloudEvent): Promise<void>;
  lag(name: string, prefix: string): Promise<number>;
}

const window = 5_000; // most positions that one statement walks over

export function createBusStore(database: Database): BusStore {
  return {
    known: (events) => database.system((db) => db.one(sql`
      select count(*) as found, count(l.position) as sealed
      from unnest(${events.map(({ id }) => id)}::uuid[], ${events.map(({ orgId }) => orgId)}::uuid[]) as u(id, org_id)
      join events.log l on l.id = u.id and l.org_id = u.org_id`)),
    begin: (name, from, replay) => database.system(async (db) => {
      const { position } = typeof from === "number" ? { position: from - 1 } : await db.one<{ position: number }>(from === "new"
        ? sql`select position from events.head`
        : sql`select coalesce(min(position) - 1, 0) as position from events.log where position is not null`);
      if (replay) await db.run(sql`delete from events.handled where subscription = ${name}`);
      await db.run(replay
        ? sql`insert into events.subscriptions (name, position) values (${name}, ${position}) on conflict (name) do update set position = excluded.position, seen_at = now()`
        : sql`insert into events.subscriptions (name, position) values (${name}, ${position}) on conflict (name) do update set seen_at = now()`);
    }),
    checkpoint: (name) => database.system(async (db) => (await db.one<{ position: number }>(sql`select position from events.subscriptions where name = ${name}`)).position),
    save: (name, position) => database.system(async (db) => {
      await db.run(sql`update events.subscriptions set position = ${position}, seen_at = now() where name = ${name} and position < ${position}`);
    }),
    mark: (name, events, at) => database.system(async (db) => {
      await db.run(sql`insert into events.handled (subscription, event_id, org_id, at)
        select ${name}::text, id, org_id, ${at}::timestamptz from unnest(${events.map(({ id }) => id)}::uuid[], ${events.map(({ orgid }) => orgid)}::uuid[]) as u(id, org_id)
        on conflict do nothing`);
    }),
    async read(name, prefix, after, limit) {
      const rows = await database.system((db) => db.many<{ top: number; position: number | null; body: string }>(sql`
        select h.top, l.position, l.body from (select least(position, ${after}::bigint + ${window}::bigint) as top from events.head) h
        left join lateral (
          select e.position, e.body from events.log e
          where e.position > ${after} and e.position <= h.top and starts_with(e.type, ${prefix})
            and not exists (select 1 from events.handled d where d.subscription = ${name} and d.event_id = e.id and d.org_id = e.org_id)
          order by e.position limit ${limit}
        ) l on true order by l.position`));
      const events = rows.filter((row): row is { top: number; position: number; body: string } => row.position !== null).map(loggedEvent);
      const end = events.length === limit ? events.at(-1)?.position : rows[0]?.top;
      return { events, end: Math.max(after, end ?? after) };
    },
    park: (name, { position, event }, attempts, reason, at) => database.system(async (db) => {
      await db.run(sql`
        insert into events.dead_letters as d (subscription, event_id, org_id, position, attempts, reason, at)
        values (${name}, ${event.id}, ${event.orgid}, ${position}, ${attempts}, ${reason}, ${at})
        on conflict (subscription, event_id, org_id) do update set attempts = abs(d.attempts) + excluded.attempts, reason = excluded.reason, at = excluded.at`);
    }),
    async parked(name, limit) {
      const rows = await database.system((db) => db.many<{ position: number; body: string; attempts: number; reason: string; at: Date }>(sql`
        select d.position, l.body, abs(d.attempts) as attempts, d.reason, d.at from events.dead_letters d join events.log l on l.id = d.event_id and l.org_id = d.org_id
        where d.subscription = ${name} order by d.position limit ${limit}`));
      return rows.map((row) => ({ ...loggedEvent(row), attempts: row.attempts, reason: row.reason, at: row.at }));
    },
    askAgain: (name, eventId) => database.system(async (db) =>
      (await db.run(sql`update events.dead_letters set attempts = -abs(attempts) where subscription = ${name} and event_id = ${eventId}`)) > 0),
    async asked(name, limit) {
      const rows = await database.system((db) => db.many<{ position: number; body: string }>(sql`
        select d.position, l.body from events.dead_letters d join events.log l on l.id = d.event_id and l.org_id = d.org_id
        where d.subscription = ${name} and d.attempts < 0 order by d.position limit ${limit}`));
      return rows.map(loggedEvent);
    },
    forget: (name, event) => database.system(async (db) => {
      await db.run(sql`delete from events.dead_letters where subscription = ${name} and event_id = ${event.id} and org_id = ${event.orgid}`);
    }),
    lag: (name, prefix) => database.system(async (db) => (await db.one<{ lag: number }>(sql`
      select count(*) as lag from events.log e
      where e.position > coalesce((select position from events.subscriptions where name = ${name}), 0) and starts_with(e.type, ${prefix})
        and not exists (select 1 from events.handled d where d.subscription = ${name} and d.event_id = e.id and d.org_id = e.org_id)`)).lag),
  };
}

function loggedEvent({ position, body }: { position: number; body: string }): LoggedEvent {
  return { position, event: parseCloudEvent(body) };
}
