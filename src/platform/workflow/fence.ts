import type { Timer } from "../events/timer.ts";

/** Keeps a server that cannot say that it lives from going on outside with what others take over. */
export interface Fence {
  /** Aborts while others may count this server as gone. A step keeps to the one that it began under. */
  signal(): AbortSignal;
  /** Says once that this server lives; false where it was taken for gone. Fails as `say` does. */
  beat(say: () => Promise<boolean>): Promise<boolean>;
  /** No more is begun here, and what was begun ends. */
  close(): void;
  /** This server says no more that it lives; what was begun is left to whoever stops it. */
  rest(): void;
}

/** Time (ms) before others take over, in which what was begun outside has to end. */
const marginMs = 3_000;

/** How often a server says that it lives (ms), where it counts as gone after so many seconds. */
export function beatMsOf(goneAfterSeconds: number): number {
  return Math.min(3_000, (goneAfterSeconds * 1_000) / 5);
}

/**
 * The time is that of the machine since the beat was asked for, which the database wrote down later; a change of its
 * clock changes nothing.
 */
export function createFence(timer: Timer, goneAfterSeconds: number): Fence {
  const afterMs = goneAfterSeconds * 1_000 - Math.min(marginMs, beatMsOf(goneAfterSeconds));
  let inside = new AbortController();
  let closed = false;
  let rests = false;
  let lease = lend();

  function lend(): { end(): void; over(): boolean } {
    const ended = new AbortController();
    let over = false;
    void timer.sleep(afterMs, ended.signal).then(() => {
      if (ended.signal.aborted) return;
      over = true;
      if (lease.over()) inside.abort(new Error("this server could not say that it lives, and others may go on with what it ran"));
    });
    return { end: () => ended.abort(), over: () => over };
  }

  return {
    signal: () => inside.signal,
    async beat(say) {
      const next = lend();
      let lives = false;
      try {
        lives = await say();
        return lives;
      } finally {
        if (!lives || rests || next.over()) next.end();
        else {
          lease.end();
          lease = next;
          if (inside.signal.aborted && !closed) inside = new AbortController();
        }
      }
    },
    close() {
      closed = true;
      lease.end();
      inside.abort(new Error("others have taken over what this server ran"));
    },
    rest() {
      rests = true;
      lease.end();
    },
  };
}
