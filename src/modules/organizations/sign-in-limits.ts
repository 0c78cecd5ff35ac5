import type { Clock } from "../../platform/clock.ts";
import { createSignInLimits, type SignInLimits } from "../../platform/identity/sign-in-limits.ts";

/** One set of counters a clock, of which a process has one. */
const limits = new WeakMap<Clock, SignInLimits>();

/** The counters of every attempt to prove who one is: passwords, codes, links. */
export function signInLimits(clock: Clock): SignInLimits {
  let found = limits.get(clock);
  if (found === undefined) {
    found = createSignInLimits(clock);
    limits.set(clock, found);
  }
  return found;
}
