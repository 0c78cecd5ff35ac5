import type { Logger } from "pino";
import type { Actor } from "../platform/actor.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database, Db } from "../platform/database/database.ts";
import type { EventAppender, Line, Timer } from "../platform/events/index.ts";
import { backoffMs } from "../platform/events/timer.ts";
import type { Ids } from "../platform/ids.ts";
import {
  createFence, createStepRunner, deadSeconds, endOrganization, leaveRuns, startDispatch, type StepHandler, type StepRunnerPorts, type Workflow, type WorkflowEngine,
} from "../platform/workflow/index.ts";
import type { EventOrigin } from "../platform/operation/services.ts";
import { openWorkflowEngine, type WorkflowSetting } from "./workflow-engines.ts";

export interface WorkflowRunnerPorts extends Omit<StepRunnerPorts, "workflows" | "steps" | "appenderFor" | "fence"> {
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
  /** The files of TLS_CERT, TLS_KEY or TLS_CA have changed: new connections of the engine take the new ones. */
  renewCertificate(): void;
  stop(): Promise<void>;
}

/** An engine that is open, and what works with it. */
interface Session {
  engine: WorkflowEngine;
  /** Why it cannot go on. */
  over: Promise<string>;
  close(): Promise<void>;
}

/**
 * Runs workflows in this server. The engine is opened while the server serves already, and again where it is away or has
 * ended: what is asked for meanwhile is in the database and waits.
 */
export function startWorkflows(setting: WorkflowSetting, ports: WorkflowRunnerPorts): WorkflowRunner {
  const { database, line, timer, clock, random, ids, log, workflows } = ports;
  const stopping = new AbortController();
  let session: Session | undefined;
  let failure: string | undefined;
  let opening: Promise<Session> | undefined;
  let reopen = (): void => undefined;

  /** Under another name each time, because others may have taken over what ran under the one before. */
  async function open(): Promise<Session> {
    const executor = `${setting.temporal === undefined ? "dbos" : "temporal"}:${ids.uuid()}`;
    const fence = createFence(timer, deadSeconds);
    const runStep = createStepRunner({
      ...ports, fence,
      appenderFor: (db, { orgId, runId, step, starter }) => ports.appender(db, { orgId, actor: actorOf(starter), operation: step, requestId: runId, door: "workflow" }),
    });
    const engine = await openWorkflowEngine(setting, { executor, runStep, log }).catch((error: unknown) => {
      fence.rest();
      throw error;
    });
    const takenOver = Promise.withResolvers<string>();
    const dispatch = startDispatch({
      database, line, timer, clock, ids, log, engine, executor, workflows, fence, onTakenOver: () => takenOver.resolve("others have taken over what it ran"),
      appenderFor: (db, orgId) => ports.appender(db, { orgId, actor: actorOf({ kind: "system", ai: false }), operation: "workflows.schedule", requestId: ids.uuid(), door: "workflow" }),
    });
    return {
      engine, over: Promise.race([engine.ended, takenOver.promise]),
      async close() {
        await dispatch.stop();
        await engine.close();
        // Else they wait until it was silent for long enough.
        await leaveRuns({ database, executor }).catch(() => undefined);
      },
    };
  }

  async function keepOpen(): Promise<void> {
    const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener("abort", () => resolve(), { once: true }));
    for (let tried = 1; !stopping.signal.aborted; tried++) {
      try {
        session = await (opening = open());
        log.info({ engine: session.engine.name }, "workflows run in this server");
        [failure, tried] = [undefined, 0];
        const why = await Promise.race([session.over, stopped, new Promise<string>((resolve) => (reopen = () => resolve("the certificate was replaced")))]);
        if (why !== undefined) log.warn({ engine: session.engine.name }, `the workflow engine is opened anew: ${why}`);
        failure = why ?? undefined;
      } catch (error) {
        const { message } = error as Error;
        if (message !== failure && !stopping.signal.aborted) log.error({ err: error }, "workflows do not run in this server; it is tried again");
        failure = message;
      }
      const closing = session;
      session = undefined;
      await closing?.close();
      if (!stopping.signal.aborted) await timer.sleep(backoffMs(tried, 1_000, 30_000, random), stopping.signal);
    }
  }

  const running = keepOpen();
  return {
    check: async () => (await session?.engine.health()) ?? failure ?? "starting",
    renewCertificate() {
      if (session?.engine.renewCertificate === undefined) reopen();
      else session.engine.renewCertificate();
    },
    async endOrganization(orgId) {
      await opening?.catch(() => undefined);
      if (session === undefined) throw new Error("the engine of workflows is not there, which has to forget what the organization ran");
      await endOrganization({ database, engine: session.engine }, orgId);
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Who started a run acts in its steps, too; what they may do was asked at the start. */
function actorOf(starter: Pick<Actor, "kind" | "userId" | "keyId" | "ai">): Actor {
  return { ...starter, platform: false, roles: [], permissions: [], mustChangePassword: false, secondFactor: false };
}

