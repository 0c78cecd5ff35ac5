import { pino } from "pino";
import { systemClock } from "../../src/platform/clock.ts";
import { openDatabase, type DatabaseUrls } from "../../src/platform/database/database.ts";
import { appender, createPrivateBodies, openLine, systemTimer, type EventAppender } from "../../src/platform/events/index.ts";
import type { Db } from "../../src/platform/database/database.ts";
import { createIds } from "../../src/platform/ids.ts";
import type { EnginePorts, WorkflowEngine } from "../../src/platform/workflow/engine.ts";
import { createDbosEngine } from "../../src/platform/workflow/engines/dbos/engine.ts";
import { createFence } from "../../src/platform/workflow/fence.ts";
import { createStepRunner, startDispatch } from "../../src/platform/workflow/index.ts";
import { testSteps } from "../../src/platform/workflow/testing/steps.ts";
import { testWorkflows } from "../../src/platform/workflow/testing/workflows.ts";
import { dyingAt, type Moment } from "./workflow-moments.ts";

/** What a server of the chaos suite is told, as JSON in its first argument. */
export interface ChaosServer {
  urls: DatabaseUrls;
  /** Address of the counterpart outside. */
  counterpart: string;
  goneAfterSeconds: number;
  /** DBOS unless given. `bundle` is the path of what its sandbox runs. */
  temporal?: { url: string; bundle: string; taskQueue: string };
  /** Where it kills itself. */
  diesAt?: Moment;
}

async function openEngine({ urls, temporal }: ChaosServer, ports: EnginePorts): Promise<WorkflowEngine> {
  if (temporal === undefined) {
    const entry = new URL("../../src/platform/workflow/testing/thread.ts", import.meta.url);
    return createDbosEngine({ ...ports, entry, connection: urls.direct ?? urls.system, poolSize });
  }
  const { createTemporalEngine } = await import("../../src/platform/workflow/engines/temporal/engine.ts");
  return createTemporalEngine({ ...ports, url: temporal.url, bundle: { path: temporal.bundle }, taskQueue: temporal.taskQueue });
}

/** Connections of one pool: many servers share one PostgreSQL here. */
const poolSize = 4;
/** Exit code of a server that others took for gone while it lived. */
const takenOver = 3;

/** Runs workflows as a server does, with nothing else, until somebody kills it. */
async function main(told: ChaosServer): Promise<void> {
  const { urls, counterpart, goneAfterSeconds } = told;
  const dying = dyingAt(told.diesAt);
  const log = pino({ level: "fatal" });
  const ids = createIds(systemClock);
  const database = openDatabase(urls, { poolSize, log, preparedStatements: true });
  const workflows = new Map(testWorkflows.map((one) => [one.id, one]));
  const privateBodies = createPrivateBodies({ createDataKey: () => Promise.reject(new Error("no private bodies here")), unwrap: () => Promise.reject(new Error("none")) });
  const append = (db: Db, orgId: string, operation: string): EventAppender => appender(db, { orgId, actor: "system", operation, requestId: operation, door: "workflow", ai: false, clock: systemClock, ids, privateBodies });
  const executor = ids.uuid();
  const fence = createFence(systemTimer, goneAfterSeconds);
  const runStep = dying.runStep(createStepRunner({
    fence, database, clock: systemClock, timer: systemTimer, random: Math.random, ids, log, workflows,
    steps: dying.steps(testSteps({
      async tell(key) {
        const answer = await fetch(counterpart, { method: "POST", headers: { "idempotency-key": key }, signal: AbortSignal.timeout(10_000) });
        if (!answer.ok) throw new Error(`the counterpart answered ${answer.status}`);
      },
    })),
    blobs: undefined as never, http: undefined as never, publicUrl: "", metrics: undefined as never, eventTypes: [],
    compute: undefined as never, runApproved: undefined as never, settings: undefined as never, secrets: undefined as never, quotas: () => undefined as never, instance: 0,
    appenderFor: (db, { orgId, step }) => dying.events(append(db, orgId, step), step),
  }));
  const engine = dying.engine(await openEngine(told, { executor, runStep, log }));
  const line = openLine(database, { timer: systemTimer, log });
  startDispatch({
    database, line, timer: systemTimer, clock: systemClock, log, engine, executor, workflows, ids, goneAfterSeconds, fence,
    // As the program does, which opens its engine anew then: somebody starts another server.
    onTakenOver: () => process.exit(takenOver),
    appenderFor: (db, orgId) => append(db, orgId, "workflows.schedule"),
  });
  process.stdout.write("ready\n");
}

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? "{}") as ChaosServer);
