import { monitorEventLoopDelay } from "node:perf_hooks";
import { fail, Overloaded } from "../errors.ts";
import type { Operation } from "./operation.ts";

export interface LoadShedder {
  /** Refuses what can wait while the server is behind: changes and computations first, reads last. Errors: Overloaded. */
  admit(operation: Pick<Operation, "effect" | "permission">): void;
}

/** How far behind the server is. */
export interface Load {
  /** Median delay of the event loop since the last sample, in milliseconds. */
  loopDelayMs: number;
  /** Transactions that wait for a connection, as a share of the pool. */
  waitingShare: number;
}

export type LoadLevel = "normal" | "busy" | "overwhelmed";

const sampleMs = 250;
const retryAfterSeconds = { busy: 2, overwhelmed: 5 };

/** Two samples in a row decide, so that one long pause (a large answer, the garbage collector) refuses nobody. */
export function levelOf(now: Load, before: Load): LoadLevel {
  if (isAtLeast(now, before, 2_000, 32)) return "overwhelmed";
  return isAtLeast(now, before, 500, 8) ? "busy" : "normal";
}

function isAtLeast(now: Load, before: Load, delayMs: number, share: number): boolean {
  return [now, before].every((load) => load.loopDelayMs >= delayMs || load.waitingShare >= share);
}

/** Who signs in or out, or asks who they are, is let through: it costs little, and it is how a person finds out. */
export function createLoadShedder(level: () => LoadLevel): LoadShedder {
  return {
    admit({ effect, permission }) {
      const now = level();
      if (now === "normal" || permission === "self") return;
      if (now === "busy" && effect === "read") return;
      const wait = retryAfterSeconds[now];
      fail(Overloaded, `The server is behind with its work and takes ${now === "busy" ? "only reads" : "nothing"} for the moment; repeat the request in ${wait} s.`, { retryAfterSeconds: wait });
    },
  };
}

/** Watches this process. */
export function watchLoad(waiting: () => { waiting: number; pool: number }): { level(): LoadLevel; stop(): void } {
  const histogram = monitorEventLoopDelay({ resolution: 20 });
  histogram.enable();
  let before: Load = { loopDelayMs: 0, waitingShare: 0 };
  let level: LoadLevel = "normal";
  const timer = setInterval(() => {
    const { waiting: queue, pool } = waiting();
    const now: Load = { loopDelayMs: Number.isNaN(histogram.percentile(50)) ? 0 : histogram.percentile(50) / 1e6, waitingShare: queue / pool };
    histogram.reset();
    level = levelOf(now, before);
    before = now;
  }, sampleMs);
  timer.unref();
  return {
    level: () => level,
    stop() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
