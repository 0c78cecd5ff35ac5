import type { Logger } from "pino";
import { timestamp, type Clock } from "../clock.ts";
import type { Database, Db } from "../database/database.ts";
import { createBell, type EventAppender, type Line, type Timer } from "../events/index.ts";
import type { Ids } from "../ids.ts";
import type { Workflow } from "./declare.ts";
import {
  beat, claimRuns, deleteOldRuns, endedRuns, forgetExecutor, markDelivered, markForgotten, markGone, markHanded, releaseRuns, runsAtEngine, runsOf, takeDead, waitingMessages, type EndedRun,
} from "./dispatch-store.ts";
import { executionKey, type WorkflowEngine } from "./engine.ts";
import { beatMsOf, createFence, type Fence } from "./fence.ts";
import { endLostRun } from "./lost-runs.ts";
import { runDue } from "./schedules.ts";

export interface DispatchPorts {
  database: Pick<Database, "system">;
  line: Line;
  timer: Timer;
  clock: Clock;
  log: Logger;
  engine: WorkflowEngine;
  executor: string;
  workflows: ReadonlyMap<string, Workflow>;
  ids: Ids;
  /** Appender of what starts by itself, in the name of its schedule. */
  appenderFor(db: Db, orgId: string): EventAppender;
  /** After how long a silent server counts as gone; `deadSeconds` unless given. */
  goneAfterSeconds?: number;
  /** The one that this server's steps keep to. */
  fence?: Fence;
  /** Called where others have taken this server for gone: the engine has to be opened anew, under another name. */
  onTakenOver?(): void;
}

const pollMs = 1_000;
/** A server that was not seen for so long has died, or cannot reach the database and so can do nothing that counts. */
export const deadSeconds = 15;
const page = 100;
/** Runs, or messages of different runs, that are handed to the engine at the same time. */
const atOnce = 10;
/** Long enough that nobody hands over an execution of it any more. */
const forgetMs = 24 * 3_600_000;
/** How often the engine is asked about a page of what it runs. */
const askMs = 10_000;
/** After an outage the others get so many beats to say that they live, too. */
const steadyBeats = 2;

/** Ends what an organization runs that is being erased, and has the engine forget that it ever did. */
export async function endOrganization({ database, engine }: Pick<DispatchPorts, "database" | "engine">, orgId: string): Promise<void> {
  for (let after: string | undefined; ; ) {
    const runs = await database.system((db) => runsOf(db, orgId, after, page));
    await engine.forget(runs.flatMap(keysOf));
    if (runs.length < page) return;
    after = runs.at(-1)?.id;
  }
}

/** Removes runs that were over before then, in batches; how many, not counting those that they had started. */
export async function removeOldRuns(database: DispatchPorts["database"], before: Date, stop: AbortSignal): Promise<number> {
  for (let removed = 0; ; ) {
    const batch = await database.system((db) => deleteOldRuns(db, before.toISOString(), page));
    removed += batch;
    if (batch < page || stop.aborted) return removed;
  }
}

/** Has others take over at once what this server ran, which it does no more. */
export async function leaveRuns({ database, executor }: Pick<DispatchPorts, "database" | "executor">): Promise<void> {
  await database.system((db) => markGone(db, executor));
}

/** Groups at once, the items of each one after the other; what was done, and why some was not. */
async function each<T>(groups: readonly (readonly T[])[], work: (item: T) => Promise<void>): Promise<{ done: T[]; error?: unknown }> {
  const done: T[] = [];
  const left = groups.values();
  async function run(): Promise<void> {
    for (const group of left) {
      for (const item of group) {
        await work(item);
        done.push(item);
      }
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, run));
  const failed = ended.find((one) => one.status === "rejected");
  return failed === undefined ? { done } : { done, error: failed.reason };
}

/** Of all executions of a run. */
function keysOf({ org_id, id, execution }: EndedRun): string[] {
  return Array.from({ length: execution }, (_, i) => executionKey(org_id, id, i + 1));
}

/**
 * Hands to the engine what was asked for in transactions: runs, each by whoever takes it first, and messages, by one
 * server at a time so that they keep their order. Whoever dies in between leaves a row that the next one hands over
 * again, under the same id. Beats, so that others see that this server lives, and takes over from those that do not.
 */
export function startDispatch(ports: DispatchPorts): { stop(): Promise<void> } {
  const { database, line, timer, clock, log, engine, executor, workflows, goneAfterSeconds = deadSeconds } = ports;
  const { fence = createFence(timer, goneAfterSeconds) } = ports;
  const everyMs = beatMsOf(goneAfterSeconds);
  const stopping = new AbortController();
  let known = false;
  let steady = steadyBeats;
  let asked: string | undefined;
  const limits = [...workflows.values()].map(({ id, atOnce }) => ({ workflow: id, most: atOnce ?? null }));

  async function handRuns(): Promise<boolean> {
    // What a server takes that dies before others have heard of it, nobody would take over.
    if (!known) return false;
    const runs = await database.system((db) => claimRuns(db, executor, limits, page));
    if (runs.length === 0) return false;
    const handed = await each(runs.map((run) => [run]), (run) => engine.start({ key: executionKey(run.org_id, run.id, run.execution), workflow: run.workflow, orgId: run.org_id, runId: run.id, input: run.input }));
    await database.system((db) => markHanded(db, handed.done, timestamp(clock)));
    messages.ring();
    if (handed.error !== undefined) throw handed.error;
    return runs.length === page;
  }

  async function handMessages(): Promise<boolean> {
    const found = await database.system((db) => waitingMessages(db, page));
    if (found.length === 0) return false;
    const ofOneRun = [...Map.groupBy(found, ({ run_id: run }) => run).values()];
    const told = await each(ofOneRun, (message) => engine.deliver(executionKey(message.org_id, message.run_id, message.execution), message.body));
    await database.system((db) => markDelivered(db, told.done, timestamp(clock)));
    if (told.error !== undefined) throw told.error;
    return found.length === page;
  }

  async function sayAlive(): Promise<boolean> {
    const before = steady;
    steady = 0;
    const lives = await fence.beat(() => database.system((db) => beat(db, executor, !known)));
    steady = Math.min(steadyBeats, before + 1);
    if (!known) runs.ring();
    known = true;
    if (lives) return false;
    fence.close();
    log.error({ executor }, "this server could not reach the database for so long that others have taken over its workflows");
    ports.onTakenOver?.();
    stopping.abort();
    return false;
  }

  async function takeOver(): Promise<boolean> {
    if (steady < steadyBeats) return false;
    for (const dead of await database.system((db) => takeDead(db, goneAfterSeconds))) {
      const released = await database.system((db) => releaseRuns(db, dead));
      const resumed = await engine.takeOver(dead);
      await database.system((db) => forgetExecutor(db, dead));
      log.warn({ executor: dead, released, resumed }, "a server that ran workflows is gone; its runs go on elsewhere");
    }
    return false;
  }

  /** What the engine ended past the platform, or lost, would else run for ever. */
  async function endLost(): Promise<boolean> {
    const found = await database.system((db) => runsAtEngine(db, engine.name, asked, page));
    asked = found.length === page ? found.at(-1)?.id : undefined;
    const over = await engine.over(found.map((run) => executionKey(run.org_id, run.id, run.execution)));
    for (const run of found) {
      const how = over.get(executionKey(run.org_id, run.id, run.execution));
      if (how === undefined) continue;
      const ended = await database.system((db) => endLostRun(db, run, how, { clock, ids: ports.ids, events: ports.appenderFor(db, run.org_id), workflows }));
      if (ended) log.warn({ run: run.id, code: how.code }, `a run ${how.message}; it has failed`);
    }
    return false;
  }

  /** The platform's own record stays; the engine's is of no use once a run is over. All executions of a run go together. */
  async function forgetEnded(): Promise<boolean> {
    const ended = await database.system((db) => endedRuns(db, new Date(clock.now() - forgetMs).toISOString(), page));
    if (ended.length === 0) return false;
    await engine.forget(ended.flatMap(keysOf));
    await database.system((db) => markForgotten(db, ended, timestamp(clock)));
    return ended.length === page;
  }

  const runs = createBell(timer);
  const messages = createBell(timer);
  const deaf = line.on("workflows_asked", () => {
    runs.ring();
    messages.ring();
  });

  /** Over and over, at once where there was more, else at the bell or after the time. */
  async function loop(what: string, work: () => Promise<boolean>, wait: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    while (!stopping.signal.aborted) {
      const more = await work().catch((error: unknown) => {
        if (!stopping.signal.aborted) log.warn({ err: error }, `${what} failed; it is tried again`);
        return false;
      });
      if (!more) await wait(stopping.signal);
    }
  }

  /** Only while this server holds the lock of that name. */
  function alone(name: string, work: () => Promise<boolean>): () => Promise<boolean> {
    return async () => {
      const hold = await line.tryLock(name);
      if (hold === undefined) return false;
      try {
        return await work();
      } finally {
        await hold.release();
      }
    };
  }

  const loops = [
    loop("handing runs to the workflow engine", handRuns, (signal) => runs.wait(pollMs, signal)),
    loop("handing messages to the workflow engine", alone("workflows.messages", handMessages), (signal) => messages.wait(pollMs, signal)),
    loop("the heartbeat of workflows", sayAlive, (signal) => timer.sleep(everyMs, signal)),
    loop("asking the workflow engine what it still runs", alone("workflows.lost", endLost), (signal) => timer.sleep(askMs, signal)),
    loop("forgetting runs that are over", alone("workflows.forget", forgetEnded), (signal) => timer.sleep(forgetMs / 24, signal)),
    loop("starting what is scheduled", async () => runDue(ports).then(() => false), (signal) => timer.sleep(pollMs, signal)),
    loop("taking over workflows", alone("workflows.take-over", takeOver), (signal) => timer.sleep(everyMs, signal)),
  ];
  return {
    async stop() {
      stopping.abort();
      deaf();
      await Promise.all(loops);
      fence.rest();
    },
  };
}
