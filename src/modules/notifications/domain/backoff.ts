/** Attempts at a delivery before it is given up on; ten of them take about a day. */
export const mostAttempts = 10;
/** It is given up on, too, when it could not be sent for so long. */
export const mostAgeMs = 3 * 86_400_000;

const firstSeconds = 5;
const mostSeconds = 6 * 3_600;
const mostBlockedSeconds = 300;

/** Seconds until a delivery is tried again that has failed so often: 5, 20, 80, ... at most six hours. */
export function retrySeconds(attempts: number): number {
  return Math.min(mostSeconds, firstSeconds * 4 ** (attempts - 1));
}

/** Seconds in which a channel is left alone that has failed so often in a row. */
export function blockedSeconds(failures: number): number {
  return failures === 0 ? 0 : Math.min(mostBlockedSeconds, 2 ** Math.min(failures, 10));
}

/** Seconds of a `Retry-After` (RFC 9110, 10.2.3), as number or date; undefined where it says nothing that can be used. */
export function retryAfterSeconds(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(header.trim()) ? Number(header) : Math.ceil((Date.parse(header) - now) / 1_000);
  return Number.isFinite(seconds) ? Math.min(86_400, Math.max(1, seconds)) : undefined;
}
