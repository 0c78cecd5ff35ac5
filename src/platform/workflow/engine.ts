import type { Logger } from "pino";
import type { Message, StepCall, StepOutcome } from "./execution.ts";

/** A run as it is handed to an engine. `key` names the execution: the same key again starts nothing. */
export interface Handed {
  key: string;
  workflow: string;
  orgId: string;
  runId: string;
  input: unknown;
}

/** How an execution is over: in the words of a failure's code, and of a message after "The run". */
export interface Over {
  code: "workflow-ended" | "workflow-terminated" | "workflow-timed-out" | "workflow-lost";
  message: string;
}

/** Does a step with all its attempts. An engine calls it until it answers; it throws only where this server stops. */
export type RunStep = (call: StepCall, stop: AbortSignal) => Promise<StepOutcome>;

/**
 * What runs workflows so that they survive. It knows of executions, calls and messages only; queues, limits, schedules,
 * children, cancellation and what a person sees are the platform's, and so the same on every engine.
 */
export interface WorkflowEngine {
  /** `dbos` or `temporal`. */
  name: string;
  /** Comes back when the engine will not forget it any more. */
  start(run: Handed): Promise<void>;
  /** Hands over a message once, however often it is called; one for an execution that has ended is dropped. */
  deliver(key: string, message: Message): Promise<void>;
  /** Goes on with what a server that is gone had begun; how many executions. */
  takeOver(executor: string): Promise<number>;
  /** Forgets executions; one that still runs is ended where it is, without compensations. */
  forget(keys: readonly string[]): Promise<void>;
  /**
   * Which of these executions are over at the engine, or not known to it, and what it says of each: one whose run is not
   * over in the platform's records was ended past the platform.
   */
  over(keys: readonly string[]): Promise<ReadonlyMap<string, Over>>;
  /** `ok`, with what it may have to add after a colon, or what is wrong, for readiness. */
  health(): Promise<string>;
  /** New connections take the certificate as it is now. An engine without it has to be opened anew for that. */
  renewCertificate?(): void;
  /** Why the engine cannot go on here; it is closed then, and opened anew. Never, where that is by `close`. */
  ended: Promise<string>;
  /** Ends here without ending any run. */
  close(): Promise<void>;
}

export interface EnginePorts {
  /** Names this server among those that run workflows: the engine's name, a colon, and what is its own. */
  executor: string;
  runStep: RunStep;
  log: Logger;
}

/** Names an execution: an attempt at a whole run. */
export function executionKey(orgId: string, runId: string, execution: number): string {
  return `${orgId}:${runId}:${execution}`;
}
