import { parentPort } from "node:worker_threads";
import { DeclaredError, type ErrorType } from "../errors.ts";

export interface TaskRequest {
  id: number;
  task: string;
  data: unknown;
}

/** An error as it crosses the thread boundary; `declared` when it is one that the platform knows. */
export interface SentError {
  message: string;
  stack: string | undefined;
  declared?: { type: ErrorType; data: Record<string, unknown> | undefined };
}

export type TaskReply = { id: number; result: unknown } | { id: number; error: SentError };

/** The worker's side: answers the tasks that the pool sends, one at a time. Call it once in the worker's entry file. */
export function serveTasks(tasks: Record<string, (data: never) => unknown>): void {
  const port = parentPort;
  if (port === null) throw new Error("serveTasks runs in a worker thread only: give this file to createWorkerPool as its entry");
  port.on("message", async ({ id, task, data }: TaskRequest) => {
    try {
      const run = Object.hasOwn(tasks, task) ? tasks[task] : undefined;
      if (run === undefined) throw new Error(`there is no task ${task}; the worker knows ${Object.keys(tasks).join(", ")}`);
      const reply: TaskReply = { id, result: await run(data as never) };
      port.postMessage(reply); // throws for what cannot be cloned, such as a function
    } catch (error) {
      port.postMessage({ id, error: sent(error) } satisfies TaskReply);
    }
  });
}

function sent(error: unknown): SentError {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined };
  const { message, stack } = error;
  return error instanceof DeclaredError ? { message, stack, declared: { type: error.type, data: error.data } } : { message, stack };
}

export function received({ message, stack, declared }: SentError): Error {
  const error = declared === undefined ? new Error(message) : new DeclaredError(declared.type, message, declared.data);
  if (stack !== undefined) error.stack = stack;
  return error;
}
