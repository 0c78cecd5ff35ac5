import type { Clock } from "../clock.ts";
import type { Allowance, Bucket, RateLimits } from "./types.ts";

interface Level {
  tokens: number;
  at: number;
}

const mostKeys = 50_000;

/** Counts in this process. The last `mostKeys` keys are held; the one that came first goes, and begins anew at worst. */
export function createMemoryLimits(clock: Clock, most = mostKeys): RateLimits {
  const levels = new Map<string, Level>();

  function levelOf(key: string, { perSecond, burst }: Bucket, now: number): Level {
    let level = levels.get(key);
    if (level === undefined) {
      if (levels.size >= most) levels.delete(levels.keys().next().value as string);
      level = { tokens: burst, at: now };
      levels.set(key, level);
    }
    level.tokens = Math.min(burst, level.tokens + (Math.max(0, now - level.at) / 1000) * perSecond);
    level.at = now;
    return level;
  }

  return {
    async take(keys, bucket) {
      const now = clock.now();
      const asked = keys.map((key) => levelOf(key, bucket, now));
      const enough = asked.every((level) => level.tokens >= 1);
      if (enough) for (const level of asked) level.tokens -= 1;
      return allowanceOf(Math.min(...asked.map((level) => level.tokens)), bucket, enough);
    },
  };
}

/** What a level of tokens means to a caller. */
export function allowanceOf(tokens: number, bucket: Bucket, taken: boolean): Allowance {
  return {
    bucket, remaining: Math.max(0, Math.floor(tokens)), resetSeconds: (bucket.burst - tokens) / bucket.perSecond,
    ...(taken ? {} : { retryAfterSeconds: Math.max(0.001, (1 - tokens) / bucket.perSecond) }),
  };
}
