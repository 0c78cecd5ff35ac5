import { actorTypeId, type Actor } from "../actor.ts";
import type { Db } from "../database/database.ts";
import { sql } from "../database/sql.ts";
import { toTypeId } from "../ids.ts";
import type { Failure } from "./execution.ts";
import type { RunState, Starter } from "./types.ts";

// What people see of runs and their steps.

export interface ShownRun {
  id: string;
  workflow: string;
  state: RunState;
  progress: { step: string; done?: number; total?: number } | null;
  failure: Failure | null;
  startedBy: string;
  parent: string | null;
  createdAt: string;
  endedAt: string | null;
  cancelling: boolean;
}

export interface ShownStep {
  call: number;
  step: string;
  state: "done" | "failed" | "retried";
  attempt: number;
  input: unknown;
  output: unknown;
  failure: Failure | null;
  startedAt: string;
  /** Duration in milliseconds. */
  ms: number;
}

interface RunRow {
  id: string;
  workflow: string;
  state: RunState;
  progress: ShownRun["progress"];
  failure: Failure | null;
  actor: Starter;
  parent_id: string | null;
  created_at: Date;
  ended_at: Date | null;
  cancelled_at: Date | null;
}

const columns = sql`select id, workflow, state, progress, failure, actor, parent_id, created_at, ended_at, cancelled_at from platform.workflow_runs`;

export interface RunFilter {
  workflow?: string;
  state?: string;
  /** UUID of the last run of the page before. */
  after?: string;
  limit: number;
}

/** Newest first: ids are UUIDv7. */
export async function listRuns(db: Db, { workflow, state, after, limit }: RunFilter): Promise<ShownRun[]> {
  const rows = await db.many<RunRow>(sql`${columns}
    where (${workflow ?? null}::text is null or workflow = ${workflow ?? null}) and (${state ?? null}::text is null or state = ${state ?? null})
      and (${after ?? null}::uuid is null or id < ${after ?? null}) order by id desc limit ${limit}`);
  return rows.map(toRun);
}

export async function runById(db: Db, id: string): Promise<ShownRun | undefined> {
  const row = await db.maybe<RunRow>(sql`${columns} where id = ${id}`);
  return row === undefined ? undefined : toRun(row);
}

/** Input and output of a run, both JSON. */
export async function payloadOf(db: Db, id: string): Promise<{ input: unknown; output: unknown }> {
  return db.one(sql`select input, output from platform.workflow_runs where id = ${id}`);
}

interface StepRow {
  seq: number;
  step: string;
  attempt: number;
  state: ShownStep["state"];
  input: unknown;
  output: unknown;
  failure: Failure | null;
  started_at: Date;
  ended_at: Date;
}

/** What it did, the attempts that failed among it. */
export async function stepsOf(db: Db, id: string): Promise<ShownStep[]> {
  const rows = await db.many<StepRow>(sql`
    select seq, step, attempt, case when failure is null then 'done' else 'failed' end as state, input, output, failure, started_at, ended_at
    from platform.workflow_steps where run_id = ${id}
    union all
    select seq, step, attempt, 'retried', null, null, failure, started_at, ended_at from platform.workflow_attempts where run_id = ${id}
    order by started_at, seq, attempt`);
  return rows.map((row) => ({
    call: row.seq, step: row.step, state: row.state, attempt: row.attempt, input: row.input, output: row.output, failure: row.failure,
    startedAt: row.started_at.toISOString(), ms: row.ended_at.getTime() - row.started_at.getTime(),
  }));
}

function toRun(row: RunRow): ShownRun {
  return {
    id: toTypeId("run", row.id), workflow: row.workflow, state: row.state, progress: row.progress, failure: row.failure,
    startedBy: actorTypeId(row.actor as Actor), parent: row.parent_id === null ? null : toTypeId("run", row.parent_id),
    createdAt: row.created_at.toISOString(), endedAt: row.ended_at?.toISOString() ?? null,
    cancelling: row.cancelled_at !== null && row.ended_at === null,
  };
}
