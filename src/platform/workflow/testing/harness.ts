import { pino } from "pino";
import { systemClock } from "../../clock.ts";
import { eventsFixture, until, type EventsFixture } from "../../events/testing.ts";
import { systemTimer } from "../../events/timer.ts";
import { createIds } from "../../ids.ts";
import type { Db } from "../../database/database.ts";
import { sql, type Query } from "../../database/sql.ts";
import { startDispatch } from "../dispatch.ts";
import type { EnginePorts, WorkflowEngine } from "../engine.ts";
import { createStepRunner } from "../run-step.ts";
import { workflowsIn } from "../runs.ts";
import { runDue } from "../schedules.ts";
import type { RunState, Workflows } from "../types.ts";
import { effectsTable, testSteps } from "./steps.ts";
import { testWorkflows } from "./workflows.ts";

/** Which code of the workflows an engine runs: the one of today, or the one before a step was put into `test.patched`. */
export type CodeUnderTest = "today" | "before";

export type OpenEngine = (fixture: EventsFixture, ports: EnginePorts, code: CodeUnderTest) => Promise<WorkflowEngine>;

export interface ShownRun {
  state: RunState;
  output: unknown;
  failure: { code: string; message: string } | null;
  progress: unknown;
  execution: number;
}

export interface WorkflowsUnderTest extends EventsFixture {
  /** In a transaction of the organization. */
  ask<T>(work: (workflows: Workflows) => Promise<T>): Promise<T>;
  run(id: string): Promise<ShownRun>;
  /** Until the run is over. */
  ended(id: string): Promise<ShownRun>;
  steps(id: string): Promise<{ seq: number; step: string; attempt: number }[]>;
  /** Words that steps of these runs and of their children wrote, in order; a word that is there twice was written twice. */
  words(...runs: string[]): Promise<string[]>;
  /** What all steps wrote, of whatever run. */
  allWords(): Promise<string[]>;
  /** How often the counterpart outside saw each key of the run. */
  toldBy(run: string): number[];
  /** Has a schedule look as if it had been due so many hours ago, and no server had run since. */
  missed(schedule: string, hours: number): Promise<void>;
  /** Starts what is due, as each server does once a second. */
  runDue(): Promise<void>;
  /** How many runs it has started, and whether it is due later on. */
  scheduled(schedule: string): Promise<{ runs: number; next: boolean }>;
  /** Of the runs that it has started, the oldest first. */
  statesOf(schedule: string): Promise<RunState[]>;
  /** One more server. */
  server(code?: CodeUnderTest): Promise<Server>;
  /** Takes away what a case left: schedules, and runs that have not ended. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

export interface Server {
  engine: WorkflowEngine;
  executor: string;
  stop(): Promise<void>;
  /** As if the process had been killed: nothing is handed over, ended or said any more. */
  kill(): Promise<void>;
}

/** Workflows on a database of their own, on as many servers as a test starts. */
export async function workflowsUnderTest(open: OpenEngine): Promise<WorkflowsUnderTest> {
  const fixture = await eventsFixture();
  const { database, orgId } = fixture;
  const ids = createIds(systemClock);
  const log = pino({ level: process.env["QINFRA_TEST_LOG"] ?? "silent" });
  const workflows = new Map(testWorkflows.map((one) => [one.id, one]));
  const told = new Map<string, number>();
  const servers = new Set<Server>();
  let serial = 0;
  let missedSerial = 0;

  const superuser = await fixture.connect("superuser");
  await superuser.query(effectsTable);
  await superuser.end();

  const ports = { database, clock: systemClock, ids, workflows, appenderFor: (db: Db, org: string) => fixture.on(db, org) };
  const steps = testSteps({ tell: async (key) => void told.set(key, (told.get(key) ?? 0) + 1) });

  async function server(code: CodeUnderTest = "today"): Promise<Server> {
    const executor = `server-${serial += 1}-${ids.uuid()}`;
    const runStep = createStepRunner({
      database, clock: systemClock, timer: systemTimer, random: Math.random, ids, log, workflows, steps,
      blobs: undefined as never, http: undefined as never, publicUrl: "", metrics: undefined as never, eventTypes: [],
      compute: undefined as never, runApproved: undefined as never, settings: undefined as never, secrets: undefined as never, quotas: () => undefined as never, instance: 0,
      appenderFor: (db, call) => fixture.on(db, call.orgId, { operation: call.step }),
    });
    const engine = await open(fixture, { executor, runStep, log }, code);
    const dispatch = startDispatch({ ...ports, line: fixture.line(), timer: systemTimer, log, engine, executor });
    const made: Server = {
      engine, executor,
      async stop() {
        servers.delete(made);
        await dispatch.stop();
        await engine.close();
      },
      async kill() {
        servers.delete(made);
        await engine.close();
        await dispatch.stop();
      },
    };
    servers.add(made);
    return made;
  }

  async function run(id: string): Promise<ShownRun> {
    return database.tenant(orgId, (db) => db.one<ShownRun>(sql`select state, output, failure, progress, execution from platform.workflow_runs where id = ${id}`));
  }

  function ask<T>(work: (workflows: Workflows) => Promise<T>): Promise<T> {
    return database.tenant(orgId, (db) => work(workflowsIn(db, { orgId, starter: { kind: "system", ai: false } }, { clock: systemClock, ids, events: fixture.on(db), workflows })));
  }

  function wordsOf(query: Query): Promise<string[]> {
    return database.tenant(orgId, async (db) => (await db.many<{ word: string }>(query)).map(({ word }) => word));
  }

  function openRuns(): Promise<{ id: string }[]> {
    return database.tenant(orgId, (db) => db.many(sql`select id from platform.workflow_runs where state in ('waiting', 'running') order by id`));
  }

  return {
    ...fixture, server, run, ask,
    async ended(id) {
      let shown = await run(id);
      await until(async () => {
        shown = await run(id);
        return shown.state !== "waiting" && shown.state !== "running";
      });
      return shown;
    },
    steps: (id) => database.tenant(orgId, (db) => db.many(sql`select seq, step, attempt from platform.workflow_steps where run_id = ${id} order by seq`)),
    words: (...runs) => wordsOf(sql`
      with recursive family (id) as (
        select unnest(${runs}::uuid[]) union select r.id from platform.workflow_runs r join family f on r.parent_id = f.id)
      select word from public.effects where run_id in (select id from family) order by id`),
    allWords: () => wordsOf(sql`select word from public.effects order by id`),
    toldBy: (id) => [...told].filter(([key]) => key.startsWith(id)).map(([, times]) => times),
    runDue: async () => void (await runDue(ports)),
    async missed(schedule, hours) {
      const due = hours === 0 ? Date.now() - 1_000 * (missedSerial += 1) : Date.now() - hours * 3_600_000;
      await database.tenant(orgId, (db) => db.run(sql`update platform.workflow_schedules set next_at = ${new Date(due).toISOString()} where id = ${schedule}`));
    },
    scheduled: (schedule) => database.tenant(orgId, (db) => db.one(sql`
      select (select count(*)::int from platform.workflow_runs r where r.schedule_id = s.id) as runs, s.next_at > now() as next from platform.workflow_schedules s where s.id = ${schedule}`)),
    statesOf: (schedule) => database.tenant(orgId, async (db) => (await db.many<{ state: RunState }>(sql`select state from platform.workflow_runs where schedule_id = ${schedule} order by id`)).map(({ state }) => state)),
    async quiet() {
      await database.tenant(orgId, (db) => db.run(sql`delete from platform.workflow_schedules`));
      // One may have ended meanwhile, with its parent or by itself.
      for (const { id } of await openRuns()) await ask((workflows) => workflows.cancel(id)).catch(() => undefined);
      await until(async () => (await openRuns()).length === 0);
    },
    async close() {
      for (const one of servers) await one.stop();
      await fixture.close();
    },
  };
}
