import type { Clock } from "../../../platform/clock.ts";
import { createSlidingWindow, type SlidingWindow } from "../../../platform/identity/sliding-window.ts";

const most = 30;
const windowMs = 3_600_000;

/** One set of counters a clock, of which a process has one. */
const windows = new WeakMap<Clock, SlidingWindow>();

/**
 * Counts the six-digit codes that were tried for a person, from wherever: three of a million are right at a time, so an
 * attacker who knows the password must not have many addresses' worth of tries. Only who has the password or a session
 * gets this far, and recovery codes and passkeys are not counted here, so it keeps no owner out.
 */
export function codeLimits(clock: Clock): SlidingWindow {
  let found = windows.get(clock);
  if (found === undefined) {
    found = createSlidingWindow({ most, windowMs, clock });
    windows.set(clock, found);
  }
  return found;
}
