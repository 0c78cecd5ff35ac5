import { backoffMs } from "./timer.ts";
import { follow, type FollowPorts } from "./follow.ts";
import type { StoredEvent } from "./types.ts";

/** Where the relay publishes outward. An event may come more than once; its id tells. */
export interface Bus {
  /** Names the checkpoint: another bus starts from the beginning. */
  name: string;
  publish(topic: string, event: StoredEvent): Promise<void>;
}

export interface TopicSpec {
  topic: string;
  /** What the types of its events begin with. */
  prefix: string;
  /** What it carries, as words within a sentence. */
  summary: string;
}

/** The topics, by the names of the reference. Other programs know them: a name stays. */
export const allTopics: readonly TopicSpec[] = [
  { prefix: "", topic: "audit.events", summary: "every event" },
  { prefix: "inventory.", topic: "asset.changes", summary: "what happens to assets and sites" },
  { prefix: "drift.", topic: "drift.detected", summary: "what happens to drift" },
  { prefix: "orchestrator.", topic: "task.status", summary: "what becomes of AI tasks" },
];

/** Every event goes to `audit.events`, and to the topic of its kind where it has one. */
export function topicsOf(type: string): string[] {
  return allTopics.filter(({ prefix }) => type.startsWith(prefix)).map(({ topic }) => topic);
}

/** What the types of a topic's events begin with; undefined where there is no such topic. */
export function prefixOf(topic: string): string | undefined {
  return allTopics.find((one) => one.topic === topic)?.prefix;
}

export interface Relay {
  stop(): Promise<void>;
}

/** Publishes by position and never skips: while the bus is away it waits, with growing pauses up to a minute. */
export function startRelay(options: FollowPorts & { bus: Bus; random(): number }): Relay {
  const { bus, timer, log, random } = options;
  const stopping = new AbortController();

  async function take(event: StoredEvent, lost: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        for (const topic of topicsOf(event.type)) await bus.publish(topic, event);
        return;
      } catch (error) {
        log.warn({ err: error, bus: bus.name, event: event.id, attempt }, "publishing an event failed; it is tried again");
        await timer.sleep(backoffMs(attempt, 250, 60_000, random), AbortSignal.any([stopping.signal, lost]));
        if (stopping.signal.aborted || lost.aborted) throw error;
      }
    }
  }

  const running = follow(options, { name: `relay ${bus.name}`, skipHandled: false, take }, stopping.signal);
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** The bus of `EVENTS_URL=postgres`: subscribers in this process only. */
export interface LocalBus extends Bus {
  /** The answer ends it. A subscriber that throws makes the relay publish again. */
  subscribe(topic: string, heard: (event: StoredEvent) => void | Promise<void>): () => void;
}

export function createLocalBus(): LocalBus {
  const subscribers = new Map<string, Set<(event: StoredEvent) => void | Promise<void>>>();
  return {
    name: "postgres",
    async publish(topic, event) {
      for (const heard of subscribers.get(topic) ?? []) await heard(event);
    },
    subscribe(topic, heard) {
      const set = subscribers.get(topic) ?? new Set();
      subscribers.set(topic, set.add(heard));
      return () => void set.delete(heard);
    },
  };
}
