import { DelegateBackoff, handleWhen, retry, type RetryPolicy } from "cockatiel";
import type { Clock } from "../clock.ts";
import { DeclaredError } from "../errors.ts";
import { isUnavailable } from "./breakers.ts";
import { Unreachable } from "./errors.ts";
import type { HttpRequest } from "./types.ts";

export interface RetryOptions {
  /** The first wait is at most this, each later one at most twice the one before. Default 200 ms. */
  backoffMs?: number;
  /** No wait is longer; an answer whose Retry-After asks for more is given to the caller as it is. Default 30 s. */
  maxWaitMs?: number;
  /** In [0, 1). */
  random?: () => number;
}

interface Attempt {
  status: number;
  headers: Record<string, string>;
}

/**
 * Only what was lost on the way, 429 and 502 to 504, of idempotent methods, is tried again (RFC 9110, 9.2.2), and
 * nothing that asks to wait beyond `endsAt`, the end of the time limit in milliseconds since 1970.
 */
export function retriesOf(request: HttpRequest, { backoffMs = 200, maxWaitMs = 30_000, random = Math.random }: RetryOptions, clock: Clock, endsAt: number): RetryPolicy {
  const waitAsked = (result: unknown): number | undefined => retryAfterMs((result as Attempt).headers["retry-after"], clock.now());
  const worthIt = (result: unknown): boolean => {
    const { status } = result as Attempt;
    return (status === 429 || isUnavailable(status)) && (waitAsked(result) ?? 0) <= Math.min(maxWaitMs, endsAt - clock.now());
  };
  const attempts = request.method === "POST" ? 1 : (request.attempts ?? 3);
  const lost = handleWhen((error) => error instanceof DeclaredError && error.type === Unreachable && error.data?.["transient"] === true);
  return retry(lost.orWhenResult(worthIt), {
    maxAttempts: Math.max(0, attempts - 1),
    backoff: new DelegateBackoff(({ attempt, result }) => {
      const asked = "value" in result ? waitAsked(result.value) : undefined;
      // Half of it fixed, half jitter, so that many clients do not come back together.
      return asked ?? Math.min(maxWaitMs, backoffMs * 2 ** (attempt - 1)) * (0.5 + random() / 2);
    }),
  }).dangerouslyUnref(); // the deadline's timer keeps the process alive as long as somebody waits
}

/** Retry-After, RFC 9110 10.2.3: seconds or an HTTP date. Undefined when there is none or it cannot be read. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const date = /^[A-Za-z]+, .+ GMT$/.test(header.trim()) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
