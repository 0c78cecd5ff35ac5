import { Worker } from "node:worker_threads";
import { Cancelled, DeclaredError } from "../errors.ts";
import { Busy, WorkerFailed, WorkersClosed } from "./errors.ts";
import { received, type TaskReply, type TaskRequest } from "./serve-tasks.ts";

export interface WorkerPoolOptions {
  /** The file that calls `serveTasks`: a `.ts` in a checkout, its bundle in production. */
  entry: URL;
  /** Threads at most; each is started when there is work for it. */
  size: number;
  /** Tasks that may wait for a thread. */
  maxQueue: number;
  /** A thread without work ends after this. Default 30 s. */
  idleMs?: number;
  /** Heap of one thread in MB; a task that needs more fails alone. Default: Node's. */
  maxHeapMb?: number;
}

export interface WorkerPool {
  /**
   * Runs the task in a thread; `data` and the result are copied (structured clone).
   * Errors: what the task throws, Busy, Cancelled, WorkerFailed, WorkersClosed.
   */
  run<T>(task: string, data: unknown, signal?: AbortSignal): Promise<T>;
  /** Ends all threads; what still runs or waits is rejected with WorkersClosed. */
  close(): Promise<void>;
}

interface Job {
  request: TaskRequest;
  settle(outcome: { result: unknown } | { error: unknown }): void;
}

interface Thread {
  worker: Worker;
  job: Job | undefined;
  idle: NodeJS.Timeout | undefined;
}

export function createWorkerPool({ entry, size, maxQueue, idleMs = 30_000, maxHeapMb }: WorkerPoolOptions): WorkerPool {
  const threads = new Set<Thread>();
  const queue: Job[] = [];
  let nextId = 1;
  let closed = false;

  function startThread(): Thread {
    // Flags of the parent, such as --eval, are not for a thread that runs a file.
    const worker = new Worker(entry, { execArgv: [], ...(maxHeapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } }) });
    const thread: Thread = { worker, job: undefined, idle: undefined };
    threads.add(thread);
    worker.on("message", (reply: TaskReply) => {
      if (thread.job?.request.id === reply.id) finish(thread, "error" in reply ? { error: received(reply.error) } : { result: reply.result });
    });
    worker.on("messageerror", () => drop(thread, workerFailed(thread, "sent a result that cannot be read")));
    worker.on("error", (error: NodeJS.ErrnoException) => drop(thread, workerFailed(thread, error.code === "ERR_WORKER_OUT_OF_MEMORY" ? "ran out of memory" : `crashed: ${error.message}`, error)));
    worker.on("exit", (code) => drop(thread, workerFailed(thread, `ended with code ${code}`)));
    return thread;
  }

  function assign(thread: Thread, job: Job): void {
    clearTimeout(thread.idle);
    thread.job = job;
    thread.worker.ref();
    try {
      thread.worker.postMessage(job.request); // oxlint-disable-line require-post-message-target-origin -- a worker's has none
    } catch (error) {
      finish(thread, { error }); // the data cannot be cloned; the thread is as good as before
    }
  }

  function finish(thread: Thread, outcome: Parameters<Job["settle"]>[0]): void {
    const job = thread.job;
    thread.job = undefined;
    job?.settle(outcome);
    const next = queue.shift();
    if (next !== undefined) return assign(thread, next);
    thread.worker.unref();
    thread.idle = setTimeout(() => drop(thread, undefined), idleMs).unref();
  }

  /** Ends the thread; another takes its place as soon as there is work for it. */
  function drop(thread: Thread, error: unknown): void {
    if (!threads.delete(thread)) return;
    clearTimeout(thread.idle);
    void thread.worker.terminate();
    thread.job?.settle({ error });
    thread.job = undefined;
    const next = queue.shift();
    if (next !== undefined) assign(startThread(), next);
  }

  function enqueue(job: Job): void {
    const free = [...threads].find((thread) => thread.job === undefined);
    if (free !== undefined) return assign(free, job);
    if (threads.size < size) return assign(startThread(), job);
    if (queue.length < maxQueue) return void queue.push(job);
    job.settle({ error: new DeclaredError(Busy, `All ${size} worker threads are busy and ${maxQueue} tasks wait already. Try again in a moment.`) });
  }

  function cancel(job: Job): void {
    const waiting = queue.indexOf(job);
    if (waiting >= 0) queue.splice(waiting, 1);
    const thread = [...threads].find((one) => one.job === job);
    const error = new DeclaredError(Cancelled, `The task ${job.request.task} was cancelled by its caller.`);
    // A thread in the middle of a computation hears no message: ending it is the only way to stop it.
    if (thread !== undefined) drop(thread, error);
    else job.settle({ error });
  }

  return {
    run<T>(task: string, data: unknown, signal?: AbortSignal): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        if (closed) return reject(closedError());
        const onAbort = (): void => cancel(job);
        const job: Job = {
          request: { id: nextId++, task, data },
          settle(outcome) {
            signal?.removeEventListener("abort", onAbort);
            if ("error" in outcome) reject(outcome.error);
            else resolve(outcome.result as T);
          },
        };
        if (signal?.aborted === true) return cancel(job);
        signal?.addEventListener("abort", onAbort, { once: true });
        enqueue(job);
      });
    },
    async close() {
      closed = true;
      for (const job of queue.splice(0)) job.settle({ error: closedError() });
      const ending = [...threads].map((thread) => thread.worker.terminate());
      for (const thread of threads) drop(thread, closedError());
      await Promise.all(ending);
    },
  };
}

function workerFailed(thread: Thread, what: string, cause?: unknown): DeclaredError {
  const task = thread.job === undefined ? "" : ` of the task ${thread.job.request.task}`;
  return new DeclaredError(WorkerFailed, `The worker thread${task} ${what}. Other tasks go on; try this one again with less input, and report it if it stays.`, undefined, cause);
}

function closedError(): DeclaredError {
  return new DeclaredError(WorkersClosed, "The worker threads are shut down, so this task cannot run. Send it again once the server is back.");
}
