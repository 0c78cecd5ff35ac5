import { fail, TooManyRequests } from "../errors.ts";
import type { Clock } from "../clock.ts";

export interface SlidingWindow {
  /** Counts one attempt, or throws `TooManyRequests` with the seconds to wait. The answer takes the attempt back. */
  take(key: string): () => void;
  forget(key: string): void;
}

/** At most `most` attempts a key within any `windowMs`. Holds the last `keys` keys, the longest unused goes first. */
export function createSlidingWindow(options: { most: number; windowMs: number; clock: Clock; keys?: number }): SlidingWindow {
  const { most, windowMs, clock, keys = 50_000 } = options;
  const attempts = new Map<string, number[]>();
  return {
    take(key) {
      const now = clock.now();
      const recent = (attempts.get(key) ?? []).filter((time) => time > now - windowMs);
      if (recent.length >= most) {
        const seconds = Math.max(1, Math.ceil(((recent[0] ?? now) + windowMs - now) / 1000));
        fail(TooManyRequests, `Too many attempts; try again in ${seconds} seconds.`, { retryAfterSeconds: seconds });
      }
      recent.push(now);
      attempts.delete(key);
      attempts.set(key, recent);
      if (attempts.size > keys) attempts.delete(attempts.keys().next().value ?? key);
      return () => {
        const held = attempts.get(key);
        const at = held?.indexOf(now) ?? -1;
        if (held !== undefined && at >= 0) held.splice(at, 1);
        if (held?.length === 0) attempts.delete(key);
      };
    },
    forget: (key) => void attempts.delete(key),
  };
}
