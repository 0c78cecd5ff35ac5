/** The waiting port: loops of the log wait through it, so that a test decides when time passes. */
export interface Timer {
  /** Comes back after the time, or earlier when the signal aborts; never throws. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemTimer: Timer = {
  sleep(ms, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const timeout = setTimeout(done, ms);
      function done(): void {
        clearTimeout(timeout);
        signal?.removeEventListener("abort", done);
        resolve();
      }
      signal?.addEventListener("abort", done, { once: true });
    });
  },
};

/** Wakes one waiting loop. A ring while nobody waits is kept for the next wait. */
export interface Bell {
  ring(): void;
  /** Until the ring, the time limit or the signal; true when it was the ring. */
  wait(ms: number, signal: AbortSignal): Promise<boolean>;
}

export function createBell(timer: Timer): Bell {
  let rung = false;
  let waking: AbortController | undefined;
  return {
    ring() {
      rung = true;
      waking?.abort();
    },
    async wait(ms, signal) {
      if (!rung && !signal.aborted) {
        const own = new AbortController();
        const stop = (): void => own.abort();
        waking = own;
        signal.addEventListener("abort", stop, { once: true });
        await timer.sleep(ms, own.signal);
        signal.removeEventListener("abort", stop);
        waking = undefined;
      }
      const heard = rung;
      rung = false;
      return heard;
    },
  };
}

/** `factor` times as long each time, from `baseMs` up to `maxMs`, each within plus or minus half of itself. `random` gives 0 to 1. */
export function backoffMs(attempt: number, baseMs: number, maxMs: number, random: () => number, factor = 2): number {
  return Math.min(maxMs, baseMs * factor ** (attempt - 1)) * (0.5 + random());
}
