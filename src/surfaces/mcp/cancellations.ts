/**
 * Calls in flight by a key that only their caller can name. Protocol 2025-11-25 cancels by a notification in a request
 * of its own; later versions close the call's own request instead.
 */
export interface Cancellations {
  /** The signal of a new call, and what takes it off the list when it has ended. */
  begin(key: string): { signal: AbortSignal; end(): void };
  cancel(key: string): void;
}

export function createCancellations(): Cancellations {
  const calls = new Map<string, AbortController>();
  return {
    begin(key) {
      const call = new AbortController();
      calls.set(key, call);
      return {
        signal: call.signal,
        end() {
          if (calls.get(key) === call) calls.delete(key);
        },
      };
    },
    cancel: (key) => calls.get(key)?.abort(),
  };
}
