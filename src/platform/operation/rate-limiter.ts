import { fail, TooManyRequests } from "../errors.ts";
import type { Allowance, RateLimits } from "../limits/index.ts";
import { actorId, type Actor } from "../actor.ts";

export interface RateLimiter {
  /**
   * Counts a request of a caller: by API key and by the user behind it, or by address where nobody is known. Tells how
   * the caller stands, then throws `TooManyRequests` where it is one too many.
   */
  take(caller: { actor: Actor; address: string }, tell?: (allowance: Allowance) => void): Promise<void>;
}

/** Requests a second, four seconds' worth of them at once. */
export function createRateLimiter(limits: RateLimits, most: { actor: number; address: number }): RateLimiter {
  const bucketOf = (perSecond: number) => ({ perSecond, burst: perSecond * 4 });
  const ofActor = bucketOf(most.actor);
  const ofAddress = bucketOf(most.address);
  return {
    async take({ actor, address }, tell) {
      const known = actor.kind !== "anonymous";
      const allowance = await limits.take(known ? keysOf(actor) : [`address:${address}`], known ? ofActor : ofAddress);
      tell?.(allowance);
      if (allowance.retryAfterSeconds === undefined) return;
      const seconds = Math.ceil(allowance.retryAfterSeconds);
      fail(TooManyRequests, `More than ${allowance.bucket.perSecond} requests a second; wait ${seconds} s.`, { retryAfterSeconds: allowance.retryAfterSeconds });
    },
  };
}

/** A person with many keys has no more than with one. */
function keysOf(actor: Actor): string[] {
  const own = `actor:${actorId(actor)}`;
  return actor.keyId === undefined || actor.userId === undefined ? [own] : [own, `actor:${actor.userId}`];
}
