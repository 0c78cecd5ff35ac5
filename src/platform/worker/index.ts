export { Busy, WorkerFailed, WorkersClosed } from "./errors.ts";
export { serveTasks } from "./serve-tasks.ts";
export { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from "./worker-pool.ts";
