import { errorType } from "../errors.ts";

export const Busy = errorType("busy", 503, "The server has too much to compute");
export const WorkerFailed = errorType("worker-failed", 500, "A worker thread ended before its task was done");
export const WorkersClosed = errorType("workers-closed", 503, "The worker threads are shut down");
