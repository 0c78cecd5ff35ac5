import type pg from "pg";
import type { Logger } from "pino";
import type { Actor } from "../platform/actor.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database, Db } from "../platform/database/database.ts";
import type { EventAppender, Line, Timer } from "../platform/events/index.ts";
import type { Ids } from "../platform/ids.ts";
import { createStepRunner, endOrganization, startDispatch, type StepHandler, type StepRunnerPorts, type Workflow, type WorkflowEngine } from "../platform/workflow/index.ts";
import type { EventOrigin } from "../platform/operation/services.ts";

/** Where workflows run. */
export interface WorkflowSetting {
  /** Program of the thread that runs them. */
  entry: URL;
  /** Past a pooler, as the system role. */
  connection: pg.ClientConfig;
}

export interface WorkflowRunnerPorts extends Omit<StepRunnerPorts, "workflows" | "steps" | "appenderFor"> {
  database: Database;
  clock: Clock;
  ids: Ids;
  timer: Timer;
  log: Logger;
  line: Line;
  workflows: ReadonlyMap<string, Workflow>;
  steps: readonly StepHandler[];
  appender(db: Db, origin: EventOrigin): EventAppender;
}

export interface WorkflowRunner {
  check(): Promise<string>;
  /** What the organization runs ends, and the engine forgets it. */
  endOrganization(orgId: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Runs workflows in this server. The engine begins while the server serves already: what is asked for meanwhile is in
 * the database and waits.
 */
export function startWorkflows(setting: WorkflowSetting, ports: WorkflowRunnerPorts): WorkflowRunner {
  const { database, line, timer, clock, ids, log, workflows } = ports;
  const executor = ids.uuid();
  const runStep = createStepRunner({
    ...ports,
    appenderFor: (db, { orgId, runId, step, starter }) => ports.appender(db, { orgId, actor: actorOf(starter), operation: step, requestId: runId, door: "workflow" }),
  });
  let engine: WorkflowEngine | undefined;
  let failure: string | undefined;
  let dispatch: { stop(): Promise<void> } | undefined;
  let stopping = false;

  async function begin(): Promise<void> {
    try {
      // Loaded late: a server answers before its workflows run.
      const { createDbosEngine } = await import("../platform/workflow/engines/dbos/engine.ts");
      engine = await createDbosEngine({ ...setting, executor, runStep, log });
      if (stopping) return;
      dispatch = startDispatch({ database, line, timer, clock, ids, log, engine, executor, workflows,
        appenderFor: (db, orgId) => ports.appender(db, { orgId, actor: actorOf({ kind: "system", ai: false }), operation: "workflows.schedule", requestId: ids.uuid(), door: "workflow" }),
      });
    } catch (error) {
      failure = (error as Error).message;
      if (!stopping) log.error({ err: error }, "workflows do not run in this server");
    }
  }

  const begun = begin();
  return {
    check: async () => failure ?? (await engine?.health()) ?? "starting",
    async endOrganization(orgId) {
      await begun;
      if (engine === undefined) throw new Error("the engine of workflows is not there, which has to forget what the organization ran");
      await endOrganization({ database, engine }, orgId);
    },
    async stop() {
      stopping = true;
      await begun;
      await dispatch?.stop();
      await engine?.close();
    },
  };
}

/** Who started a run acts in its steps, too; what they may do was asked at the start. */
function actorOf(starter: Pick<Actor, "kind" | "userId" | "keyId" | "ai">): Actor {
  return { ...starter, platform: false, roles: [], permissions: [], mustChangePassword: false, secondFactor: false };
}

