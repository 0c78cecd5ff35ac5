import type { Db } from "../database/database.ts";
import { sql } from "../database/sql.ts";
import type { Message, StepCall, StepOutcome } from "./execution.ts";
import type { Ending, Where } from "./frame.ts";
import type { Starter } from "./types.ts";

const json = (value: unknown): string => JSON.stringify(value ?? null);

export interface NewRun {
  orgId: string;
  id: string;
  workflow: string;
  input: unknown;
  concurrencyKey: string | null;
  actor: Starter;
  parent?: { id: string; seq: number };
  schedule?: { id: string; for: string };
  at: string;
}

/** False where this call of the parent, or this time of the schedule, has its run already. */
export async function insertRun(db: Db, run: NewRun): Promise<boolean> {
  const inserted = await db.run(sql`
    insert into platform.workflow_runs (org_id, id, workflow, state, input, concurrency_key, actor, parent_id, parent_seq, schedule_id, scheduled_for, created_at)
    values (${run.orgId}, ${run.id}, ${run.workflow}, 'waiting', ${json(run.input)}, ${run.concurrencyKey}, ${json(run.actor)},
      ${run.parent?.id ?? null}, ${run.parent?.seq ?? null}, ${run.schedule?.id ?? null}, ${run.schedule?.for ?? null}, ${run.at})
    on conflict do nothing`);
  return inserted === 1;
}

const rung = new WeakSet<Db>();

/**
 * Wakes those who hand runs and messages to the engine, when this transaction is committed. Once in each: commits that
 * notify wait for each other (PostgreSQL keeps notifications in the order of commits).
 */
export async function ring(db: Db): Promise<void> {
  if (rung.has(db)) return;
  rung.add(db);
  await db.run(sql`select pg_notify('workflows_asked', '')`);
}

export interface RunRow {
  org_id: string;
  id: string;
  workflow: string;
  state: "waiting" | "running" | "succeeded" | "failed" | "cancelled";
  input: unknown;
  execution: number;
  actor: Starter;
  parent_id: string | null;
  parent_seq: number | null;
  concurrency_key: string | null;
  cancelled_at: Date | null;
}

/** Locked until the end of the transaction. */
export function runForChange(db: Db, orgId: string, id: string): Promise<RunRow | undefined> {
  return db.maybe<RunRow>(sql`
    select org_id, id, workflow, state, input, execution, actor, parent_id, parent_seq, concurrency_key, cancelled_at from platform.workflow_runs where org_id = ${orgId} and id = ${id} for update`);
}

export async function insertMessage(db: Db, orgId: string, runId: string, message: Message, at: string): Promise<void> {
  await db.run(sql`insert into platform.workflow_messages (org_id, id, run_id, body, created_at) values (${orgId}, ${message.id}, ${runId}, ${json(message)}, ${at})`);
}

export async function markCancelled(db: Db, orgId: string, id: string, at: string): Promise<void> {
  await db.run(sql`update platform.workflow_runs set cancelled_at = ${at} where org_id = ${orgId} and id = ${id}`);
}

/**
 * Has the run go on where it failed: what is done stays done, what it was told it is told again. Where its steps were
 * undone it begins from the first, and what it does outside has other keys.
 */
export async function runAgain(db: Db, orgId: string, id: string, { from, to, undone }: Where): Promise<void> {
  await db.run(sql`
    update platform.workflow_runs set state = 'waiting', execution = execution + 1, epoch = epoch + ${undone ? 1 : 0}, output = null, failure = null, progress = null,
      handed_at = null, executor = null, ended_at = null, cancelled_at = null, forgotten_at = null
    where org_id = ${orgId} and id = ${id}`);
  await db.run(sql`
    delete from platform.workflow_steps where org_id = ${orgId} and run_id = ${id}
      and (${undone} or seq = 0 or seq > ${to} or (seq >= ${from} and failure is not null))`);
  await db.run(sql`delete from platform.workflow_messages where org_id = ${orgId} and run_id = ${id} and (body->>'kind' = 'cancel' or (${undone} and body->>'kind' = 'child-ended'))`);
  await db.run(sql`update platform.workflow_messages set handed_at = null where org_id = ${orgId} and run_id = ${id}`);
}

/** Where the run's function ended, as its last step recorded it. */
export async function whereItEnded(db: Db, orgId: string, id: string): Promise<Where | undefined> {
  const row = await db.maybe<{ input: { where: Where } }>(sql`select input from platform.workflow_steps where org_id = ${orgId} and run_id = ${id} and seq = 0`);
  return row?.input.where;
}

/** False where it had ended. */
export async function endRun(db: Db, orgId: string, id: string, ending: Ending, at: string): Promise<boolean> {
  const ended = await db.run(sql`
    update platform.workflow_runs set state = ${ending.state}, output = ${"output" in ending ? json(ending.output) : null}, failure = ${"failure" in ending ? json(ending.failure) : null}, ended_at = ${at}
    where org_id = ${orgId} and id = ${id} and state in ('waiting', 'running')`);
  return ended === 1;
}

export async function openChildren(db: Db, orgId: string, id: string): Promise<string[]> {
  const rows = await db.many<{ id: string }>(sql`select id from platform.workflow_runs where org_id = ${orgId} and parent_id = ${id} and state in ('waiting', 'running') order by created_at, id`);
  return rows.map((row) => row.id);
}

/** The last place that the run is known to have come to, and the first one whose child is not over. */
export async function lastCall(db: Db, orgId: string, id: string): Promise<{ last: number; firstOpenChild: number | null }> {
  return db.one(sql`
    select coalesce((select max(seq) from platform.workflow_steps where org_id = ${orgId} and run_id = ${id}), 0) as last,
      (select min(parent_seq) from platform.workflow_runs where org_id = ${orgId} and parent_id = ${id} and state in ('waiting', 'running')) as "firstOpenChild"`);
}

/** Children that were called between these places and did not succeed. */
export function failedChildren(db: Db, orgId: string, id: string, { from, to }: Where): Promise<{ id: string; parent_seq: number }[]> {
  return db.many(sql`
    select id, parent_seq from platform.workflow_runs
    where org_id = ${orgId} and parent_id = ${id} and parent_seq between ${from} and ${to} and state in ('failed', 'cancelled') order by parent_seq`);
}

export async function deleteChildEnded(db: Db, orgId: string, id: string, seq: number): Promise<void> {
  await db.run(sql`delete from platform.workflow_messages where org_id = ${orgId} and run_id = ${id} and body->>'kind' = 'child-ended' and (body->>'seq')::int = ${seq}`);
}

export async function deleteChildren(db: Db, orgId: string, id: string): Promise<void> {
  await db.run(sql`delete from platform.workflow_runs where org_id = ${orgId} and parent_id = ${id}`);
}

export async function setProgress(db: Db, orgId: string, id: string, progress: unknown): Promise<void> {
  await db.run(sql`update platform.workflow_runs set progress = ${json(progress)} where org_id = ${orgId} and id = ${id}`);
}

export interface StepRow {
  step: string;
  output: unknown;
  failure: { code: string; message: string } | null;
  /** Of the run: how often it began from the first step. */
  epoch: number;
  /** Attempts that failed, in this execution. */
  failed: number;
  cancelled: boolean;
  actor: Starter;
}

/** What is known of the call and of its run; undefined where the run is gone, with its organization. */
export function recordedStep(db: Db, call: StepCall): Promise<(Omit<StepRow, "step"> & { step: string | null }) | undefined> {
  return db.maybe(sql`
    select s.step, s.output, s.failure, r.epoch, r.cancelled_at is not null as cancelled, r.actor,
      (select count(*)::int from platform.workflow_attempts a where a.org_id = r.org_id and a.run_id = r.id and a.seq = ${call.seq} and a.execution = r.execution) as failed
    from platform.workflow_runs r left join platform.workflow_steps s on s.org_id = r.org_id and s.run_id = r.id and s.seq = ${call.seq}
    where r.org_id = ${call.orgId} and r.id = ${call.runId}`);
}

export interface StepDone {
  call: StepCall;
  attempt: number;
  outcome: StepOutcome;
  startedAt: string;
  endedAt: string;
}

/** False where the call is done already: somebody else did it meanwhile. */
export async function insertStep(db: Db, { call, attempt, outcome, startedAt, endedAt }: StepDone): Promise<boolean> {
  const failure = "failure" in outcome ? json(outcome.failure) : null;
  const output = "output" in outcome ? json(outcome.output) : null;
  const inserted = await db.run(sql`
    insert into platform.workflow_steps (org_id, run_id, seq, step, attempt, input, output, failure, started_at, ended_at)
    values (${call.orgId}, ${call.runId}, ${call.seq}, ${call.step}, ${attempt}, ${json(call.input)}, ${output}, ${failure}, ${startedAt}, ${endedAt})
    on conflict do nothing`);
  return inserted === 1;
}

export async function insertAttempt(db: Db, { call, attempt, outcome, startedAt, endedAt }: StepDone): Promise<boolean> {
  const inserted = await db.run(sql`
    insert into platform.workflow_attempts (org_id, run_id, seq, execution, attempt, step, failure, started_at, ended_at)
    select ${call.orgId}, ${call.runId}, ${call.seq}, r.execution, ${attempt}, ${call.step}, ${"failure" in outcome ? json(outcome.failure) : "{}"}, ${startedAt}, ${endedAt}
    from platform.workflow_runs r where r.org_id = ${call.orgId} and r.id = ${call.runId}
    on conflict do nothing`);
  return inserted === 1;
}
