import { pino } from "pino";
import { systemClock } from "../../clock.ts";
import { eventsFixture, until, type EventsFixture } from "../../events/testing.ts";
import { systemTimer } from "../../events/timer.ts";
import { createIds } from "../../ids.ts";
import { sql } from "../../database/sql.ts";
import type { Workflow } from "../declare.ts";
import { startDispatch } from "../dispatch.ts";
import type { EnginePorts, WorkflowEngine } from "../engine.ts";
import { createStepRunner } from "../run-step.ts";
import { workflowsIn } from "../runs.ts";
import type { RunState, Workflows } from "../types.ts";
import { effectsTable, testSteps } from "./steps.ts";
import { testWorkflows } from "./workflows.ts";

export type OpenEngine = (fixture: EventsFixture, ports: EnginePorts) => Promise<WorkflowEngine>;

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
  /** Words that steps wrote, in order; a word that is there twice was written twice. */
  words(): Promise<string[]>;
  /** Has a schedule look as if it had been due so many hours ago, and no server had run since. */
  missed(schedule: string, hours: number): Promise<void>;
  /** How many runs it has started, and whether it is due later on. */
  scheduled(schedule: string): Promise<{ runs: number; next: boolean }>;
  /** Of the runs that it has started, the oldest first. */
  statesOf(schedule: string): Promise<RunState[]>;
  /** What the counterpart outside saw: keys, and how often. */
  told: Map<string, number>;
  /** One more server; it has all workflows unless it is given others. */
  server(options?: { workflows?: readonly Workflow[] }): Promise<Server>;
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

  const steps = testSteps({ tell: async (key) => void told.set(key, (told.get(key) ?? 0) + 1) });

  async function server(options: { workflows?: readonly Workflow[] } = {}): Promise<Server> {
    const known = options.workflows === undefined ? workflows : new Map(options.workflows.map((one) => [one.id, one]));
    const executor = `server-${serial += 1}-${ids.uuid()}`;
    const runStep = createStepRunner({
      database, clock: systemClock, timer: systemTimer, random: Math.random, ids, log, workflows: known, steps,
      blobs: undefined as never, http: undefined as never, compute: undefined as never, settings: { osvUrl: "" }, instance: 0,
      appenderFor: (db, call) => fixture.on(db, call.orgId, { operation: call.step }),
    });
    const engine = await open(fixture, { executor, runStep, log });
    const line = fixture.line();
    const dispatch = startDispatch({ database, line, timer: systemTimer, clock: systemClock, log, engine, executor, workflows: known, ids, appenderFor: (db, org) => fixture.on(db, org) });
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

  return {
    ...fixture, told, server, run,
    ask: (work) => database.tenant(orgId, (db) => work(workflowsIn(db, { orgId, starter: { kind: "system", ai: false } }, { clock: systemClock, ids, events: fixture.on(db), workflows }))),
    async ended(id) {
      let shown = await run(id);
      await until(async () => {
        shown = await run(id);
        return shown.state !== "waiting" && shown.state !== "running";
      });
      return shown;
    },
    steps: (id) => database.tenant(orgId, (db) => db.many(sql`select seq, step, attempt from platform.workflow_steps where run_id = ${id} order by seq`)),
    words: () => database.tenant(orgId, async (db) => (await db.many<{ word: string }>(sql`select word from public.effects order by id`)).map(({ word }) => word)),
    async missed(schedule, hours) {
      const due = hours === 0 ? Date.now() - 1_000 * (missedSerial += 1) : Date.now() - hours * 3_600_000;
      await database.tenant(orgId, (db) => db.run(sql`update platform.workflow_schedules set next_at = ${new Date(due).toISOString()} where id = ${schedule}`));
    },
    scheduled: (schedule) => database.tenant(orgId, (db) => db.one(sql`
      select (select count(*)::int from platform.workflow_runs r where r.schedule_id = s.id) as runs, s.next_at > now() as next from platform.workflow_schedules s where s.id = ${schedule}`)),
    statesOf: (schedule) => database.tenant(orgId, async (db) => (await db.many<{ state: RunState }>(sql`select state from platform.workflow_runs where schedule_id = ${schedule} order by id`)).map(({ state }) => state)),
    async close() {
      for (const one of servers) await one.stop();
      await fixture.close();
    },
  };
}
