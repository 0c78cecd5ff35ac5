import type { Clock } from "../clock.ts";
import { fail, TooManyRequests } from "../errors.ts";
import type { RateLimiter } from "./services.ts";

interface Bucket {
  tokens: number;
  at: number;
}

const mostKeys = 50_000;

/** A token bucket a key, in memory: `perSecond` on average, four seconds' worth at once. */
export function createRateLimiter(clock: Clock, limits: { actor: number; address: number }): RateLimiter {
  const buckets = new Map<string, Bucket>();
  return {
    take(key) {
      const perSecond = key.startsWith("address:") ? limits.address : limits.actor;
      const burst = perSecond * 4;
      const now = clock.now();
      const bucket = buckets.get(key) ?? { tokens: burst, at: now };
      bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * perSecond);
      bucket.at = now;
      if (!buckets.has(key)) {
        // The oldest key goes: it has been quiet the longest or comes back with a full bucket at worst.
        if (buckets.size >= mostKeys) buckets.delete(buckets.keys().next().value as string);
        buckets.set(key, bucket);
      }
      if (bucket.tokens < 1) {
        const retryAfterSeconds = (1 - bucket.tokens) / perSecond;
        fail(TooManyRequests, `More than ${perSecond} requests a second; wait ${Math.ceil(retryAfterSeconds)} s.`, { retryAfterSeconds });
      }
      bucket.tokens -= 1;
    },
  };
}
