import type { Db } from "../database/database.ts";
import { sql } from "../database/sql.ts";
import type { Message } from "./execution.ts";

// Across tenants: what waits to be handed to the engine, and which servers run it.

export interface WaitingRun {
  org_id: string;
  id: string;
  workflow: string;
  input: unknown;
  execution: number;
}

const admission = 7_126_040; // any constant: one server at a time decides who may begin

/**
 * Takes runs that may begin now, the oldest first: within the limit of each workflow, and one of each concurrency key.
 * `most` is how many of a workflow may run at once, null for as many as are asked for. What this server took before and
 * could not hand over comes again.
 */
export async function claimRuns(db: Db, executor: string, limits: readonly { workflow: string; most: number | null }[], page: number): Promise<WaitingRun[]> {
  await db.run(sql`select pg_advisory_xact_lock(${admission})`);
  return db.many<WaitingRun>(sql`
    with chosen as (
      select r.org_id, r.id from unnest(${limits.map(({ workflow }) => workflow)}::text[], ${limits.map(({ most }) => most)}::int[]) w (workflow, most)
      cross join lateral (
        select c.org_id, c.id, c.created_at from platform.workflow_runs c
        where c.state = 'waiting' and c.workflow = w.workflow and (c.concurrency_key is null or not exists (
          select from platform.workflow_runs o where o.workflow = c.workflow and o.org_id = c.org_id and o.concurrency_key = c.concurrency_key
            and (o.state = 'running' or (o.state = 'waiting' and (o.created_at, o.id) < (c.created_at, c.id)))))
        order by c.created_at, c.id
        limit case when w.most is null then ${page} else least(${page}, greatest(0, w.most - (
          select count(*) from platform.workflow_runs o where o.state = 'running' and o.workflow = w.workflow))) end
      ) r
      union all
      select org_id, id from platform.workflow_runs where state = 'running' and handed_at is null and executor = ${executor}
    )
    update platform.workflow_runs u set state = 'running', executor = ${executor}, handed_at = null from chosen
    where u.org_id = chosen.org_id and u.id = chosen.id and (u.state = 'waiting' or (u.executor = ${executor} and u.handed_at is null))
    returning u.org_id, u.id, u.workflow, u.input, u.execution`);
}

export async function markHanded(db: Db, runs: readonly Pick<WaitingRun, "id" | "execution">[], at: string): Promise<void> {
  await db.run(sql`
    update platform.workflow_runs r set handed_at = ${at} from unnest(${runs.map(({ id }) => id)}::uuid[], ${runs.map(({ execution }) => execution)}::int[]) h (id, execution)
    where r.id = h.id and r.execution = h.execution and r.handed_at is null`);
}

export interface WaitingMessage {
  org_id: string;
  id: string;
  run_id: string;
  body: Message;
  execution: number;
}

/** In the order in which they were told, of runs that the engine has. */
export function waitingMessages(db: Db, page: number): Promise<WaitingMessage[]> {
  return db.many(sql`
    select m.org_id, m.id, m.run_id, m.body, r.execution
    from platform.workflow_messages m join platform.workflow_runs r on r.org_id = m.org_id and r.id = m.run_id
    where m.handed_at is null and r.state <> 'waiting' and (r.handed_at is not null or r.ended_at is not null)
    order by m.created_at, m.id limit ${page}`);
}

export async function markDelivered(db: Db, messages: readonly Pick<WaitingMessage, "id" | "execution">[], at: string): Promise<void> {
  await db.run(sql`
    update platform.workflow_messages m set handed_at = ${at} from unnest(${messages.map(({ id }) => id)}::uuid[], ${messages.map(({ execution }) => execution)}::int[]) d (id, execution), platform.workflow_runs r
    where m.id = d.id and r.org_id = m.org_id and r.id = m.run_id and r.execution = d.execution`);
}

/** False where this server was taken for gone since its first beat. */
export async function beat(db: Db, executor: string, first: boolean): Promise<boolean> {
  const seen = first
    ? sql`insert into platform.workflow_executors (id, seen_at) values (${executor}, now()) on conflict (id) do update set seen_at = now()`
    : sql`update platform.workflow_executors set seen_at = now() where id = ${executor} and seen_at > '-infinity'`;
  return (await db.run(seen)) === 1;
}

/** From here on it is gone, also where it lives on: its next beat tells it so. */
export async function markGone(db: Db, executor: string): Promise<void> {
  await db.run(sql`update platform.workflow_executors set seen_at = '-infinity' where id = ${executor}`);
}

/** Servers that were not seen for so long, which are gone from here on. */
export async function takeDead(db: Db, seconds: number): Promise<string[]> {
  const rows = await db.many<{ id: string }>(sql`
    update platform.workflow_executors set seen_at = '-infinity' where seen_at < now() - make_interval(secs => ${seconds}) returning id`);
  return rows.map(({ id }) => id);
}

/** What a server had taken and not handed over may be taken by others; the engine knows an execution that comes twice. */
export async function releaseRuns(db: Db, executor: string): Promise<number> {
  return db.run(sql`update platform.workflow_runs set state = 'waiting', executor = null where executor = ${executor} and state = 'running' and handed_at is null`);
}

export async function forgetExecutor(db: Db, executor: string): Promise<void> {
  await db.run(sql`delete from platform.workflow_executors where id = ${executor}`);
}

/** Runs that were handed to this engine, or to another one that no server has any more; the next ones by id. */
export function runsAtEngine(db: Db, engine: string, after: string | undefined, page: number): Promise<EndedRun[]> {
  return db.many(sql`
    select org_id, id, execution from platform.workflow_runs r
    where r.state = 'running' and r.handed_at is not null and (${after ?? null}::uuid is null or r.id > ${after ?? null}) and (
      split_part(r.executor, ':', 1) = ${engine}
      or not exists (select from platform.workflow_executors e where split_part(e.id, ':', 1) = split_part(r.executor, ':', 1) and e.seen_at > '-infinity'))
    order by r.id limit ${page}`);
}

export interface EndedRun {
  org_id: string;
  id: string;
  execution: number;
}

/** Runs that ended before then, and that the engine still has records of. */
export function endedRuns(db: Db, before: string, page: number): Promise<EndedRun[]> {
  return db.many(sql`select org_id, id, execution from platform.workflow_runs where ended_at < ${before} and forgotten_at is null order by ended_at limit ${page}`);
}

export async function markForgotten(db: Db, runs: readonly EndedRun[], at: string): Promise<void> {
  await db.run(sql`
    update platform.workflow_runs r set forgotten_at = ${at} from unnest(${runs.map(({ id }) => id)}::uuid[], ${runs.map(({ execution }) => execution)}::int[]) f (id, execution)
    where r.id = f.id and r.execution = f.execution`);
}

/** Removes runs that ended before then, the oldest first, each with those that it started; none that the engine has records of. */
export function deleteOldRuns(db: Db, before: string, page: number): Promise<number> {
  return db.run(sql`
    delete from platform.workflow_runs where (org_id, id) in (
      select r.org_id, r.id from platform.workflow_runs r
      where r.parent_id is null and r.forgotten_at is not null and r.ended_at < ${before} and not exists (
        with recursive family (id, forgotten_at) as (
          select c.id, c.forgotten_at from platform.workflow_runs c where c.org_id = r.org_id and c.parent_id = r.id
          union all select c.id, c.forgotten_at from family f join platform.workflow_runs c on c.org_id = r.org_id and c.parent_id = f.id
        ) select from family where forgotten_at is null)
      order by r.ended_at limit ${page})`);
}

/** Runs of one organization from that id on, whatever their state. */
export function runsOf(db: Db, orgId: string, after: string | undefined, page: number): Promise<EndedRun[]> {
  return db.many(sql`select org_id, id, execution from platform.workflow_runs where org_id = ${orgId} and (${after ?? null}::uuid is null or id > ${after ?? null}) order by id limit ${page}`);
}
