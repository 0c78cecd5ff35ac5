import { pino } from "pino";
import { systemClock } from "../../src/platform/clock.ts";
import { openDatabase, type DatabaseUrls } from "../../src/platform/database/database.ts";
import { appender, createPrivateBodies, openLine, systemTimer, type EventAppender } from "../../src/platform/events/index.ts";
import type { Db } from "../../src/platform/database/database.ts";
import { createIds } from "../../src/platform/ids.ts";
import { createDbosEngine } from "../../src/platform/workflow/engines/dbos/engine.ts";
import { createStepRunner, startDispatch } from "../../src/platform/workflow/index.ts";
import { testSteps } from "../../src/platform/workflow/testing/steps.ts";
import { testWorkflows } from "../../src/platform/workflow/testing/workflows.ts";

/** What a server of the chaos suite is told, as JSON in its first argument. */
export interface ChaosServer {
  urls: DatabaseUrls;
  /** Address of the counterpart outside. */
  counterpart: string;
  goneAfterSeconds: number;
}

/** Runs workflows as a server does, with nothing else, until somebody kills it. */
async function main({ urls, counterpart, goneAfterSeconds }: ChaosServer): Promise<void> {
  const log = pino({ level: "fatal" });
  const ids = createIds(systemClock);
  const database = openDatabase(urls, { poolSize: 10, log, preparedStatements: true });
  const workflows = new Map(testWorkflows.map((one) => [one.id, one]));
  const privateBodies = createPrivateBodies({ createDataKey: () => Promise.reject(new Error("no private bodies here")), unwrap: () => Promise.reject(new Error("none")) });
  const append = (db: Db, orgId: string, operation: string): EventAppender => appender(db, { orgId, actor: "system", operation, requestId: operation, door: "workflow", ai: false, clock: systemClock, ids, privateBodies });
  const executor = ids.uuid();
  const runStep = createStepRunner({
    database, clock: systemClock, timer: systemTimer, random: Math.random, ids, log, workflows,
    steps: testSteps({
      async tell(key) {
        const answer = await fetch(counterpart, { method: "POST", headers: { "idempotency-key": key }, signal: AbortSignal.timeout(10_000) });
        if (!answer.ok) throw new Error(`the counterpart answered ${answer.status}`);
      },
    }),
    blobs: undefined as never, http: undefined as never, publicUrl: "", metrics: undefined as never, eventTypes: [],
    compute: undefined as never, runApproved: undefined as never, settings: undefined as never, secrets: undefined as never, quotas: () => undefined as never, instance: 0,
    appenderFor: (db, { orgId, step }) => append(db, orgId, step),
  });
  const entry = new URL("../../src/platform/workflow/testing/thread.ts", import.meta.url);
  const engine = await createDbosEngine({ entry, connection: urls.direct ?? urls.system, executor, runStep, log });
  const line = openLine(database, { timer: systemTimer, log });
  startDispatch({
    database, line, timer: systemTimer, clock: systemClock, log, engine, executor, workflows, ids, goneAfterSeconds, appenderFor: (db, orgId) => append(db, orgId, "workflows.schedule"),
  });
  process.stdout.write("ready\n");
}

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? "{}") as ChaosServer);
