import type { Actor } from "../actor.ts";

/** How long a second factor that was given counts for what asks for it anew. */
export const confirmationMs = 5 * 60_000;

/** Whether the person gave a second factor in the last minutes. `now` in milliseconds since 1970. */
export function isConfirmed(actor: Actor, now: number): boolean {
  return actor.confirmedAt !== undefined && now - actor.confirmedAt <= confirmationMs;
}
