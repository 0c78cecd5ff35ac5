import type { EventBus } from "./bus/types.ts";
import { cloudEventOf } from "./cloud-event.ts";
import { follow, type FollowPorts } from "./follow.ts";
import { topicsOf, type Relay } from "./relay.ts";
import { backoffMs } from "./timer.ts";

/**
 * Publishes the log to the bus of `EVENTS_URL`, a page at a time and by position, at least once: while the bus is away
 * it waits, with growing pauses up to a minute, and skips nothing.
 */
export function startOutwardRelay(options: FollowPorts & { bus: EventBus; random(): number }): Relay {
  const { bus, timer, log, random } = options;
  const stopping = new AbortController();
  const running = follow(options, {
    name: `relay ${bus.name}`, skipHandled: false,
    async takePage(events, lost) {
      const messages = events.flatMap((event) => topicsOf(event.type).map((topic) => ({ topic, key: event.stream, event: cloudEventOf(event) })));
      for (let attempt = 1; ; attempt++) {
        try {
          return await bus.publish(messages);
        } catch (error) {
          log.warn({ err: error, bus: bus.name, events: events.length, attempt }, "publishing events failed; it is tried again");
          await timer.sleep(backoffMs(attempt, 250, 60_000, random), AbortSignal.any([stopping.signal, lost]));
          if (stopping.signal.aborted || lost.aborted) throw error;
        }
      }
    },
  }, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
