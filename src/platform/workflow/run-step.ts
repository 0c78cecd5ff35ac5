import type { Logger } from "pino";
import type { BlobStore } from "../blobs/types.ts";
import { timestamp, type Clock } from "../clock.ts";
import type { Database, Db } from "../database/database.ts";
import { DatabaseUnavailable, DeclaredError } from "../errors.ts";
import { backoffMs, type Timer } from "../events/timer.ts";
import type { EventType } from "../events/declare.ts";
import type { EventAppender } from "../events/types.ts";
import type { HttpClient } from "../http-client/types.ts";
import type { Ids } from "../ids.ts";
import type { Quotas } from "../operation/quotas.ts";
import type { Mailer } from "../mail/types.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { checkValue } from "./check.ts";
import { mostBytes, type Workflow } from "./declare.ts";
import type { RunStep } from "./engine.ts";
import type { Failure, StepCall, StepOutcome } from "./execution.ts";
import type { Fence } from "./fence.ts";
import { EngineStopped, ownSteps } from "./frame.ts";
import { ownHandlers } from "./own-steps.ts";
import { workflowsIn, type RunPorts } from "./runs.ts";
import { insertAttempt, insertStep, recordedStep, setProgress, type StepDone } from "./store.ts";
import type { StepContext, StepHandler, StepPrepareContext } from "./steps.ts";
import type { Starter } from "./types.ts";

export interface StepRunnerPorts {
  database: Database;
  clock: Clock;
  timer: Timer;
  /** 0 to 1, for jitter. */
  random(): number;
  ids: Ids;
  log: Logger;
  blobs: BlobStore;
  http: HttpClient;
  mail?: Mailer;
  publicUrl: string;
  metrics: Metrics;
  eventTypes: readonly EventType[];
  settings: StepPrepareContext["settings"];
  secrets: StepPrepareContext["secrets"];
  quotas(db: Db, orgId: string): Quotas;
  instance: number;
  runApproved: StepPrepareContext["runApproved"];
  compute<T>(task: string, data: unknown, signal?: AbortSignal): Promise<T>;
  /** Appender of what a step appends in the transaction, in the name of the run. */
  appenderFor(db: Db, call: { orgId: string; runId: string; step: string; starter: Starter }): EventAppender;
  workflows: ReadonlyMap<string, Workflow>;
  steps: readonly StepHandler[];
  /** What was begun under it ends where others may have taken over. */
  fence?: Pick<Fence, "signal">;
}

const tellMs = 1_000;
/** How often a step that takes long, or waits to be tried again, looks whether its run was cancelled. */
const lookMs = 2_000;

/** Thrown to have the transaction undone where somebody else has done the step meanwhile. */
class DoneElsewhere extends Error {}

/**
 * Does a step: outside first, then the transaction that writes its effect and records it as done; again, with the waits
 * of its retry policy, where that fails. What is recorded is answered and not done again, whatever the engine remembers.
 */
export function createStepRunner(ports: StepRunnerPorts): RunStep {
  const { database, clock, timer, random, log } = ports;
  const handlers = new Map([...ownHandlers(ports), ...ports.steps].map((handler) => [handler.ref.id, handler]));

  return async function runStep(call, stop) {
    for (let away = 1; ; away++) {
      try {
        const outcome = await next(call, stop);
        if (!("againMs" in outcome)) return outcome;
        await pause(call, outcome.againMs, stop);
      } catch (error) {
        // The database is away, or a server of another version has the step: nothing that counts as an attempt.
        if (!stop.aborted) log.warn({ err: error, step: call.step, run: call.runId }, "a step could not be tried; it will be");
        await timer.sleep(backoffMs(away, 500, 30_000, random), stop);
      }
      if (stop.aborted) throw new EngineStopped("this server stops");
    }
  };

  /** Until the time is over, or the run is cancelled, which `next` then answers. */
  async function pause(call: StepCall, ms: number, stop: AbortSignal): Promise<void> {
    for (const until = clock.now() + ms; clock.now() < until && !stop.aborted; ) {
      await timer.sleep(Math.min(lookMs, until - clock.now()), stop);
      if (!call.evenCancelled && (await isCancelled(call))) return;
    }
  }

  async function isCancelled(call: StepCall): Promise<boolean> {
    return (await database.read(call.orgId, (db) => recordedStep(db, call)))?.cancelled === true;
  }

  /** A signal that aborts when the run is cancelled; `end` stops the looking. */
  function cancellation(call: StepCall): { signal: AbortSignal; end(): void } {
    const cancelled = new AbortController();
    const ended = new AbortController();
    async function look(): Promise<void> {
      while (!ended.signal.aborted && !cancelled.signal.aborted) {
        await timer.sleep(lookMs, ended.signal);
        if (!ended.signal.aborted && (await isCancelled(call).catch(() => false))) cancelled.abort(new Error("the run was cancelled"));
      }
    }
    if (!call.evenCancelled) void look();
    return { signal: cancelled.signal, end: () => ended.abort() };
  }

  async function next(call: StepCall, stop: AbortSignal): Promise<StepOutcome | { againMs: number }> {
    const handler = handlers.get(call.step);
    if (handler === undefined) throw new Error(`this server knows no step ${call.step}`);
    const fence = ports.fence?.signal() ?? stop;
    fence.throwIfAborted();
    const known = await database.read(call.orgId, (db) => recordedStep(db, call));
    if (known === undefined) return { failure: { code: "workflow-run-not-found", message: "The run is gone, with its organization." } };
    if (known.step !== null) return recorded(known as { step: string; output: unknown; failure: Failure | null }, call);
    if (known.cancelled && !call.evenCancelled) return { cancelled: true };
    const attempt = known.failed + 1;
    const startedAt = timestamp(clock);
    const cancelled = cancellation(call);
    try {
      return await attemptAt(handler, call, attempt, AbortSignal.any([stop, fence, cancelled.signal]), known, startedAt);
    } catch (error) {
      if (error instanceof DoneElsewhere) return { againMs: 0 };
      if (cancelled.signal.aborted) return { cancelled: true };
      if (stop.aborted || fence.aborted || isAway(error)) throw error;
      const { retry } = handler.ref;
      const failure = failureOf(error);
      const last = attempt >= retry.attempts || retry.never.includes(failure.code);
      const done: StepDone = { call, attempt, outcome: { failure }, startedAt, endedAt: timestamp(clock) };
      log.warn({ err: error, step: call.step, run: call.runId, attempt, last }, "a step failed");
      const first = await database.tenant(call.orgId, (db) => (last ? insertStep(db, done) : insertAttempt(db, done)));
      if (last) return first ? done.outcome : { againMs: 0 };
      return { againMs: backoffMs(attempt, retry.firstSeconds * 1_000, retry.mostSeconds * 1_000, random, retry.factor) };
    } finally {
      cancelled.end();
    }
  }

  async function attemptAt(handler: StepHandler, call: StepCall, attempt: number, stop: AbortSignal, known: { epoch: number; actor: Starter }, startedAt: string): Promise<StepOutcome> {
    const { orgId, runId } = call;
    checkValue(handler.ref.input, call.input, `input of ${call.step}`);
    const signal = AbortSignal.any([stop, AbortSignal.timeout(handler.ref.timeoutSeconds * 1_000)]);
    const common = { orgId, runId, starter: known.actor, clock, ids: ports.ids, log, metrics: ports.metrics, eventTypes: ports.eventTypes };
    const transaction = <T>(work: (db: Db) => Promise<T>): Promise<T> => (handler.database === "system" ? database.system(work) : database.tenant(orgId, work));
    let told = 0;
    const context: StepPrepareContext = {
      ...common, attempt, signal, settings: ports.settings, secrets: ports.secrets, instance: ports.instance, runApproved: ports.runApproved,
      progress(progress) {
        if (clock.now() - told < tellMs) return;
        told = clock.now();
        // For whoever watches; a run does not fail because nobody could be told.
        void database.tenant(orgId, (db) => setProgress(db, orgId, runId, progress)).catch(() => undefined);
      },
      blobs: ports.blobs, http: ports.http, publicUrl: ports.publicUrl, ...(ports.mail === undefined ? {} : { mail: ports.mail }),
      idempotencyKey: `${runId}:${known.epoch}:${call.seq}`, transaction,
      compute: (task, data) => ports.compute(task, data, signal),
    };
    const prepared = handler.prepare === undefined ? undefined : await within(signal, handler.prepare(context, call.input));
    return transaction(async (db) => {
      const events = ports.appenderFor(db, { orgId, runId, step: call.step, starter: known.actor });
      const runPorts: RunPorts = { clock, ids: ports.ids, events, workflows: ports.workflows };
      const inside: StepContext & { call: StepCall; runPorts: RunPorts } = {
        ...common, db, events, quotas: ports.quotas(db, orgId), workflows: workflowsIn(db, { orgId, starter: known.actor }, runPorts), call, runPorts,
      };
      const output = (await handler.handle(inside, call.input, prepared)) ?? null;
      checkResult(handler, output);
      const first = await insertStep(db, { call, attempt, outcome: { output }, startedAt, endedAt: timestamp(clock) });
      if (!first) throw new DoneElsewhere();
      return { output };
    });
  }
}

function recorded(known: { step: string; output: unknown; failure: Failure | null }, call: StepCall): StepOutcome {
  // The run came by here with the code of before: that is the answer, and no mismatch.
  if (call.step === ownSteps.patch && known.step !== call.step) return { output: { patch: null } };
  if (known.step !== call.step) {
    return { failure: { code: "history-mismatch", message: `At call ${call.seq} this run did ${known.step}, and its code asks for ${call.step} now. Code that changes the order of steps goes through flow.patch.` } };
  }
  return known.failure === null ? { output: known.output } : { failure: known.failure };
}

function checkResult({ ref }: StepHandler, output: unknown): void {
  checkValue(ref.output, output, `result of ${ref.id}`);
  const bytes = JSON.stringify(output).length;
  if (bytes > mostBytes) throw new TypeError(`The result of ${ref.id} is ${bytes} bytes; at most ${mostBytes} are kept in a history, larger ones go by blob reference.`);
}

function isAway(error: unknown): boolean {
  return error instanceof DeclaredError && error.type === DatabaseUnavailable;
}

function failureOf(error: unknown): Failure {
  if (error instanceof DeclaredError) return { code: error.type.code, message: error.message.slice(0, 2_000) };
  if (error instanceof Error && error.name === "TimeoutError") return { code: "step-timeout", message: "The step did not end within its time limit." };
  return { code: "step-failed", message: (error instanceof Error ? error.message : String(error)).slice(0, 2_000) };
}

/** Ends with the work or the signal, so that an attempt that ignores its signal still ends in time. */
async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  if (signal.aborted) throw signal.reason;
  let stop: (() => void) | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
}
