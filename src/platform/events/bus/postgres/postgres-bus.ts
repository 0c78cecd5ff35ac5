import type { Logger } from "pino";
import type { Clock } from "../../../clock.ts";
import type { Database } from "../../../database/database.ts";
import { Conflict, DatabaseUnavailable, DeclaredError, InvalidInput, NotFound, fail } from "../../../errors.ts";
import type { Line } from "../../line.ts";
import { prefixOf } from "../../relay.ts";
import { createBell, type Timer } from "../../timer.ts";
import { BusUnavailable, type BusMessage, type Consumer, type ConsumerOptions, type EventBus } from "../types.ts";
import { runMember } from "./member.ts";
import { createBusStore } from "./store.ts";

export interface PostgresBusOptions {
  database: Database;
  /** For the lock of each group; the caller closes it. */
  line: Line;
  timer: Timer;
  clock: Clock;
  log: Logger;
  /** 0 to 1, for jitter. */
  random(): number;
  /** What the types of a topic's events begin with; undefined where there is no such topic. Those of the platform without. */
  prefixOf?(topic: string): string | undefined;
  /** How long `publish` waits for the sealer. */
  sealedMs?: number;
}

const pollMs = 250;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The event log itself as the bus: what is appended in the transaction of a change is published by that, to every topic
 * that its type belongs to, and consumers read the sealed log by position. `publish` therefore puts nothing anywhere: it
 * comes back when the log has the events and they have their positions, which are the offsets. The key is the stream.
 * One consumer of a group has its messages at a time; the others, on this server or another, take over from it.
 * Errors of all: BusUnavailable, while the database is away.
 */
export function createPostgresBus(options: PostgresBusOptions): EventBus {
  const { database, line, timer, sealedMs = 30_000 } = options;
  const store = createBusStore(database);
  const closing = new AbortController();
  const members = new Set<Promise<void>>();

  function prefix(topic: string): string {
    return (options.prefixOf ?? prefixOf)(topic) ?? fail(InvalidInput, `There is no topic ${topic}.`);
  }

  function nameOf(topic: string, group: string): string {
    prefix(topic);
    if (!/^[\w.-]{1,100}$/.test(group)) fail(InvalidInput, `${JSON.stringify(group)} is not a group; its name has letters, digits, dots, hyphens and underscores, 100 at most.`);
    return `bus ${topic} ${group}`;
  }

  function open(): void {
    if (closing.signal.aborted) fail(BusUnavailable, "The event bus was closed.");
  }

  /** Ends with the answer, or the time. */
  async function sealed(messages: readonly BusMessage[]): Promise<void> {
    const events = messages.map(({ event }) => ({ id: event.id, orgId: event.orgid }));
    const bell = createBell(timer);
    const deaf = line.on("events_sealed", () => bell.ring());
    const late = new AbortController();
    const done = new AbortController();
    void timer.sleep(sealedMs, done.signal).then(() => late.abort());
    try {
      for (;;) {
        const known = await store.known(events);
        if (known.found < events.length) {
          fail(InvalidInput, `${events.length - known.found} of ${events.length} events are not in the event log, which is the bus here; append them in the transaction of their change.`);
        }
        if (known.sealed === events.length) return;
        if (late.signal.aborted || closing.signal.aborted) {
          fail(BusUnavailable, `${events.length - known.sealed} events have no position after ${sealedMs / 1_000} seconds; see whether a server seals the event log.`);
        }
        await bell.wait(pollMs, AbortSignal.any([late.signal, closing.signal]));
      }
    } finally {
      done.abort();
      deaf();
    }
  }

  async function begin(name: string, { from, replay = false }: ConsumerOptions): Promise<void> {
    const first = typeof from === "string" ? from : positionOf(from.offset);
    if (!replay) return store.begin(name, first, false);
    const hold = await line.tryLock(name);
    if (hold === undefined) fail(Conflict, "The group has a consumer, or the database is away; stop its consumers before it is taken back.");
    try {
      await store.begin(name, first, true);
    } finally {
      await hold.release();
    }
  }

  return {
    name: "postgres",
    publish: (messages) => available(async () => {
      open();
      for (const { topic, event } of messages) {
        if (!event.type.startsWith(prefix(topic))) fail(InvalidInput, `Events of type ${event.type} are not in the topic ${topic}.`);
        if (!uuid.test(event.id)) fail(InvalidInput, `${JSON.stringify(event.id)} is not the id of an event in the event log.`);
      }
      if (messages.length > 0) await sealed(messages);
    }),
    consume: (consumer) => available(async () => {
      open();
      const name = nameOf(consumer.topic, consumer.group);
      await begin(name, consumer);
      const stopping = new AbortController();
      const running: Promise<void> = runMember({ ...options, store }, { name, prefix: prefix(consumer.topic), options: consumer, closing: closing.signal }, stopping.signal)
        .finally(() => members.delete(running));
      members.add(running);
      return {
        async stop() {
          stopping.abort();
          await running;
        },
      } satisfies Consumer;
    }),
    deadLetters: (topic, group, limit) => available(async () => (await store.parked(nameOf(topic, group), limit)).map(({ event, attempts, reason, at }) => ({
      id: event.id, message: { topic, key: event.stream, event }, attempts, reason, at: at.toISOString(),
    }))),
    redrive: (topic, group, id) => available(async () => {
      const there = uuid.test(id) && (await store.askAgain(nameOf(topic, group), id));
      if (!there) fail(NotFound, `The group ${group} of ${topic} has no dead letter ${id}.`);
    }),
    lag: (topic, group) => available(() => store.lag(nameOf(topic, group), prefix(topic))),
    async health() {
      if (closing.signal.aborted) return "the event bus was closed";
      return (await database.healthy()) ? "ok" : "the database does not answer";
    },
    async close() {
      closing.abort();
      await Promise.all(members);
    },
  };
}

function positionOf(offset: string): number {
  const position = Number(offset);
  if (!/^\d+$/.test(offset) || !Number.isSafeInteger(position) || position < 1) fail(InvalidInput, `${JSON.stringify(offset)} is not an offset of this bus; it is the position of an event in the log.`);
  return position;
}

async function available<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DeclaredError) || error.type !== DatabaseUnavailable) throw error;
    throw new DeclaredError(BusUnavailable, "The database does not answer, and the event log in it is the bus.", undefined, error);
  }
}
