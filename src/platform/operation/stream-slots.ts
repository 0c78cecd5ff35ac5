import { actorId, type Actor } from "../actor.ts";
import { Draining, fail, TooManyRequests } from "../errors.ts";

/** Which streams are open on this server. */
export interface StreamSlots {
  /** Errors: TooManyRequests, Draining. The answer gives the place back; `closing` aborts when the server is about to go. */
  take(actor: Actor): { closing: AbortSignal; release(): void };
  /** Comes back when those who listen are to be asked for anew, or with the signal. */
  beat(signal: AbortSignal): Promise<void>;
  open(): number;
  /** Ends every stream, so that those who listen go on at another server. */
  close(): void;
}

const retryAfterSeconds = 30;

export function createStreamSlots(most: { actor: number; server: number }, beat: (signal: AbortSignal) => Promise<void>): StreamSlots {
  const closing = new AbortController();
  const byActor = new Map<string, number>();
  let open = 0;

  return {
    take(actor) {
      if (closing.signal.aborted) fail(Draining, "The server is shutting down; repeat the request in a moment.");
      // A person with many keys has no more than with one.
      const key = actor.userId ?? actorId(actor);
      const own = byActor.get(key) ?? 0;
      if (own >= most.actor) fail(TooManyRequests, `You have ${own} streams open at this server already, which is the most; close one, or listen to several types in one.`, { retryAfterSeconds });
      if (open >= most.server) fail(TooManyRequests, `The server has ${open} streams open already, which is the most; try again in ${retryAfterSeconds} s.`, { retryAfterSeconds });
      byActor.set(key, own + 1);
      open += 1;
      let held = true;
      return {
        closing: closing.signal,
        release() {
          if (!held) return;
          held = false;
          open -= 1;
          const left = (byActor.get(key) ?? 1) - 1;
          if (left === 0) byActor.delete(key);
          else byActor.set(key, left);
        },
      };
    },
    beat,
    open: () => open,
    close: () => closing.abort(),
  };
}
