import { sql } from "../database/sql.ts";
import type { Db } from "../database/database.ts";

/** A sealed event as it goes out: the CloudEvents JSON as it was appended, without what was said privately. */
export interface LiveEvent {
  /** Its number in the organization, which has no gaps. */
  seq: number;
  type: string;
  subject: string;
  body: string;
}

/** What somebody sees of their organization's events. */
export interface LiveFilter {
  /** Absent: all. */
  types?: readonly string[];
  subjects?: readonly string[];
}

/** Events after a number. `end` is the number up to which nothing more is to come. */
export interface LivePage {
  events: LiveEvent[];
  end: number;
  /** Some of what was asked for is no longer in the log. */
  gone: boolean;
}

const window = 5_000; // most numbers that one statement walks over

/** The last number of the organization; 0 where nothing happened yet. */
export async function lastSeq(db: Db, orgId: string): Promise<number> {
  const row = await db.maybe<{ seq: number }>(sql`select seq from events.chains where org_id = ${orgId}`);
  return row?.seq ?? 0;
}

/** Whether the log still holds everything after that number. */
export async function isInLog(db: Db, orgId: string, after: number): Promise<boolean> {
  const { gone } = await db.one<{ gone: boolean }>(sql`
    select exists (select 1 from events.exports where org_id = ${orgId} and retired_at is not null and last_seq > ${after}) as gone`);
  return !gone;
}

export async function readLive(db: Db, orgId: string, after: number, { types, subjects }: LiveFilter, limit: number): Promise<LivePage> {
  const rows = await db.many<{ top: number; gone: boolean; seq: number | null; type: string; subject: string; body: string }>(sql`
    select c.top, c.gone, l.seq, l.type, l.subject, l.body from (
      select least(seq, ${after}::bigint + ${window}::bigint) as top,
        exists (select 1 from events.exports where org_id = ${orgId} and retired_at is not null and last_seq > ${after}) as gone
      from events.chains where org_id = ${orgId}
    ) c
    left join lateral (
      select e.org_seq as seq, e.type, e.subject, e.body from events.log e
      where e.org_id = ${orgId} and e.org_seq > ${after} and e.org_seq <= c.top
        and (${types ?? null}::text[] is null or e.type = any(${types ?? null}))
        and (${subjects ?? null}::text[] is null or e.subject = any(${subjects ?? null}))
      order by e.org_seq limit ${limit}
    ) l on true order by l.seq`);
  const found = rows.filter((row): row is typeof row & { seq: number } => row.seq !== null);
  const top = rows[0]?.top ?? after;
  return {
    events: found.map(({ seq, type, subject, body }) => ({ seq, type, subject, body })),
    end: Math.max(after, found.length === limit ? (found.at(-1)?.seq ?? after) : top),
    gone: rows[0]?.gone ?? false,
  };
}

/** What was sealed after a position in these organizations, in order, and the position up to which that is all. */
export async function sealedAfter(db: Db, after: number, orgIds: readonly string[], limit: number): Promise<{ events: (LiveEvent & { orgId: string })[]; end: number }> {
  const rows = await db.many<{ top: number; position: number | null; org_id: string; seq: number; type: string; subject: string; body: string }>(sql`
    select h.top, l.position, l.org_id, l.seq, l.type, l.subject, l.body
    from (select least(position, ${after}::bigint + ${window}::bigint) as top from events.head) h
    left join lateral (
      select e.position, e.org_id, e.org_seq as seq, e.type, e.subject, e.body from events.log e
      where e.position > ${after} and e.position <= h.top and e.org_id = any(${orgIds}) order by e.position limit ${limit}
    ) l on true order by l.position`);
  const found = rows.filter((row): row is typeof row & { position: number } => row.position !== null);
  return {
    events: found.map(({ org_id: orgId, seq, type, subject, body }) => ({ orgId, seq, type, subject, body })),
    end: Math.max(after, found.length === limit ? (found.at(-1)?.position ?? after) : (rows[0]?.top ?? after)),
  };
}
