import { Cancelled, DeclaredError } from "../errors.ts";
import { TimedOut } from "./errors.ts";

export interface Deadline {
  /** Aborted with a DeclaredError: TimedOut or Cancelled. */
  signal: AbortSignal;
  /** The promise, or the reason of the signal when that is first. */
  race<T>(work: Promise<T>): Promise<T>;
  /** Ends the time limit and whatever still hangs on the signal. */
  done(): void;
}

export function startDeadline(host: string, timeoutMs: number, caller: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  const { signal } = controller;
  const timeout = () => controller.abort(new DeclaredError(TimedOut, `${host} did not complete its answer within ${timeoutMs} ms. Try again later, or check whether it is overloaded.`, { host, timeoutMs }));
  const cancel = () => controller.abort(new DeclaredError(Cancelled, `The request to ${host} was cancelled by its caller.`));
  const timer = setTimeout(timeout, timeoutMs);
  caller?.addEventListener("abort", cancel, { once: true });
  if (caller?.aborted === true) cancel();
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => undefined); // nobody may be racing any more
  return {
    signal,
    race: (work) => Promise.race([work, aborted]),
    done() {
      clearTimeout(timer);
      caller?.removeEventListener("abort", cancel);
      controller.abort();
    },
  };
}
