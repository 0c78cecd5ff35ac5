import { threadId } from "node:worker_threads";
import { DeclaredError, errorType } from "../errors.ts";
import { serveTasks } from "./serve-tasks.ts";

/** The worker of the pool's own tests. */
serveTasks({
  square: (n: number) => n * n,
  later: async (n: number) => n,
  thread: () => threadId,
  /** Tells that it runs, then waits for one more than that, holding its thread as a computation does. */
  hold: (shared: Int32Array) => {
    Atomics.add(shared, 0, 1);
    Atomics.notify(shared, 0);
    Atomics.wait(shared, 1, 0);
    return threadId;
  },
  spin: (shared: Int32Array) => {
    Atomics.add(shared, 0, 1);
    for (;;) Atomics.load(shared, 0);
  },
  fail: (message: string) => {
    throw new TypeError(message);
  },
  declared: () => {
    throw new DeclaredError(errorType("sbom-invalid", 400, "The SBOM cannot be read"), "line 3", { line: 3 });
  },
  text: () => {
    throw "just text"; // oxlint-disable-line no-throw-literal -- a task may throw anything
  },
  exit: () => process.exit(3),
  crash: () => new Promise(() => setImmediate(() => { throw new Error("boom"); })),
  memory: () => {
    const all: number[][] = [];
    for (;;) all.push(Array.from({ length: 100_000 }, (_, i) => i * 1.5));
  },
  uncloneable: () => () => undefined,
});
