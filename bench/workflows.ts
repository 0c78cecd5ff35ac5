import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { pino } from "pino";
import { systemClock } from "../src/platform/clock.ts";
import type { Database, Db } from "../src/platform/database/database.ts";
import { sql } from "../src/platform/database/sql.ts";
import { appender, openLine, systemTimer, type EventAppender } from "../src/platform/events/index.ts";
import { createPrivateBodies } from "../src/platform/events/private.ts";
import { createIds } from "../src/platform/ids.ts";
import { createDbosEngine } from "../src/platform/workflow/engines/dbos/engine.ts";
import { createStepRunner, startDispatch } from "../src/platform/workflow/index.ts";
import { workflowsIn } from "../src/platform/workflow/runs.ts";
import { effectsTable, testSteps } from "../src/platform/workflow/testing/steps.ts";
import { testWorkflows, twoSteps } from "../src/platform/workflow/testing/workflows.ts";
import { median } from "./process.ts";
import type { RawWorkflows } from "./raw-workflows.ts";
import { statement, type Stage } from "./stage.ts";

export interface WorkflowRates {
  runs: number;
  rounds: number;
  /** Runs of two steps a second, from the asking to the last one's end. */
  port: number;
  raw: number;
  ratio: number;
}

const ids = createIds(systemClock);
const poolSize = 10;
const log = pino({ level: "silent" });

/** Runs of two steps through the port on DBOS, against as many by DBOS itself, in turns, on the same PostgreSQL. */
export async function measureWorkflows(stage: Pick<Stage, "superuser" | "open" | "orgId" | "secrets">, { rounds, runs }: { rounds: number; runs: number }): Promise<WorkflowRates> {
  await statement(stage.superuser, effectsTable);
  const database = stage.open(poolSize);
  const port = await openPort(stage, database);
  const raw = await openRaw(stage);
  const rates = { port: [] as number[], raw: [] as number[] };
  try {
    for (let round = 0; round <= rounds; round++) {
      const each = { port: await perSecond(runs, () => port.run(runs)), raw: await perSecond(runs, () => raw.run(runs)) };
      if (round === 0) continue; // to warm up
      rates.port.push(each.port);
      rates.raw.push(each.raw);
    }
  } finally {
    await raw.close();
    await port.close();
    await database.close();
  }
  const [ours, theirs] = [median(rates.port), median(rates.raw)];
  return { runs, rounds, port: ours, raw: theirs, ratio: ours / theirs };
}

async function perSecond(runs: number, work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (runs * 1_000) / (performance.now() - began);
}

interface Runner {
  run(runs: number): Promise<void>;
  close(): Promise<void>;
}

async function openPort(stage: Pick<Stage, "superuser" | "orgId" | "secrets">, database: Database): Promise<Runner> {
  const { orgId } = stage;
  const workflows = new Map(testWorkflows.map((one) => [one.id, one]));
  const privateBodies = createPrivateBodies(stage.secrets);
  const events = (db: Db, org: string, operation: string): EventAppender =>
    appender(db, { orgId: org, actor: "system", operation, requestId: operation, door: "workflow", ai: false, clock: systemClock, ids, privateBodies });
  const executor = ids.uuid();
  const runStep = createStepRunner({
    database, clock: systemClock, timer: systemTimer, random: Math.random, ids, log, workflows, steps: testSteps({ tell: async () => undefined }), instance: 0, publicUrl: "", eventTypes: [],
    blobs: undefined as never, http: undefined as never, metrics: undefined as never, compute: undefined as never, runApproved: undefined as never, settings: undefined as never,
    secrets: undefined as never, quotas: () => undefined as never, appenderFor: (db, call) => events(db, call.orgId, call.step),
  });
  const entry = new URL("../src/platform/workflow/testing/thread.ts", import.meta.url);
  const connection = { ...stage.superuser, user: "qinfra_system", password: stage.secrets.derive("database-role qinfra_system").toString("base64url") };
  const engine = await createDbosEngine({ entry, connection, executor, poolSize, runStep, log });
  const line = openLine(database, { timer: systemTimer, log });
  const dispatch = startDispatch({ database, line, timer: systemTimer, clock: systemClock, log, engine, executor, workflows, ids, appenderFor: (db, org) => events(db, org, "bench") });
  return {
    async run(runs) {
      await database.tenant(orgId, async (db) => {
        const asked = workflowsIn(db, { orgId, starter: { kind: "system", ai: false } }, { clock: systemClock, ids, events: events(db, orgId, "bench"), workflows });
        for (let i = 0; i < runs; i++) await asked.start(twoSteps, { word: `w${i}` });
      });
      for (let open = runs; open > 0; await systemTimer.sleep(open > 0 ? 20 : 0)) {
        open = (await database.tenant(orgId, (db) => db.one<{ open: number }>(sql`select count(*)::int as open from platform.workflow_runs where workflow = ${twoSteps.id} and state in ('waiting', 'running')`))).open;
      }
    },
    async close() {
      await dispatch.stop();
      await engine.close();
      await line.close();
    },
  };
}

async function openRaw(stage: Pick<Stage, "superuser">): Promise<Runner> {
  const worker = new Worker(new URL("raw-workflows.ts", import.meta.url), { workerData: { connection: stage.superuser, poolSize } satisfies RawWorkflows });
  await once(worker, "message");
  return {
    async run(runs) {
      worker.postMessage(runs, []);
      await once(worker, "message");
    },
    close: async () => void (await worker.terminate()),
  };
}
