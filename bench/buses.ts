import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { SiteCreated } from "../src/modules/inventory/events.ts";
import { anonymous } from "../src/platform/actor.ts";
import { systemClock } from "../src/platform/clock.ts";
import { openKafkaBus } from "../src/platform/events/bus/kafka/index.ts";
import { openNatsBus } from "../src/platform/events/bus/nats/index.ts";
import { uniqueName } from "../src/platform/events/bus/testing/messages.ts";
import { appender, createPostgresBus, createPrivateBodies, openLine, startOutwardRelay, systemTimer, type BusMessage, type EventBus } from "../src/platform/events/index.ts";
import { createIds, toTypeId } from "../src/platform/ids.ts";
import { startKafka } from "../test/real/support/kafka.ts";
import { startNats } from "../test/real/support/nats.ts";
import { peer } from "../test/real/support/peer.ts";
import { median } from "./process.ts";
import { rawKafka, rawNats, rawPostgres, type RawClient } from "./raw-clients.ts";
import { statement, type Stage } from "./stage.ts";

/** Events a second. */
export interface Rates {
  platform: number;
  raw: number;
}

export interface BusResult {
  name: string;
  /** Absent where the log itself is the bus. */
  relay?: Rates;
  consume: Rates;
}

export interface Buses {
  /** Of one round. */
  events: number;
  rounds: number;
  buses: BusResult[];
  /** Why something was not measured. */
  missing: string[];
}

const topic = "audit.events";
const limitMs = 60_000;
const log = pino({ level: "silent" });
const ids = createIds(systemClock);

interface Broker {
  name: string;
  start(): Promise<{ bus: EventBus; raw: RawClient; stop(): Promise<void> }>;
}

const brokers: readonly Broker[] = [
  {
    name: "nats",
    async start() {
      const server = await startNats();
      return { bus: await openNatsBus({ url: server.url, log, clock: systemClock }), raw: await rawNats(server.url), stop: server.stop };
    },
  },
  {
    name: "kafka",
    async start() {
      const server = await startKafka();
      return { bus: await openKafkaBus({ url: server.url, log, clock: systemClock }), raw: await rawKafka(server.url), stop: server.stop };
    },
  },
];
const peerOf: Readonly<Record<string, string>> = { nats: "nats-server", kafka: "kafka" };

/** The relay and consumers of each bus against the broker's own client with the same messages, in turns. */
export async function measureBuses(stage: Stage, { rounds, events }: { rounds: number; events: number }): Promise<Buses> {
  const database = stage.open(8);
  const line = openLine(database, { timer: systemTimer, log });
  const results: BusResult[] = [];
  const missing: string[] = [];

  async function relayed(bus: EventBus, published: (messages: readonly BusMessage[]) => void): Promise<number> {
    return rateOf(events, async (took) => {
      // Another name begins at the first event; the broker would know the ids of a round before.
      const measured: EventBus = {
        ...bus, name: uniqueName("bench"),
        async publish(messages) {
          const anew = new Map(messages.map(({ event }) => [event.id, randomUUID()]));
          const fresh = messages.map((message) => ({ ...message, event: { ...message.event, id: anew.get(message.event.id) as string } }));
          await bus.publish(fresh);
          published(fresh);
          took(anew.size);
        },
      };
      const relay = startOutwardRelay({ database, line, timer: systemTimer, log, random: Math.random, bus: measured });
      return () => relay.stop();
    });
  }

  const consumed = (bus: EventBus): Promise<number> => rateOf(events, async (took) => {
    const consumer = await bus.consume({ topic, group: uniqueName("bench"), from: "start", atOnce: 256, handle: async () => took(1) });
    return () => consumer.stop();
  });
  const rawConsumed = (raw: RawClient, eachEvent: number): Promise<number> => rateOf(events, (took) => raw.consume(() => took(1 / eachEvent)));

  async function rawPublished(raw: RawClient, messages: readonly BusMessage[], eachEvent: number): Promise<number> {
    return rateOf(events, async (took) => {
      let over = false;
      const page = messages.map(({ key, event }) => ({ key, payload: JSON.stringify(event) }));
      const running = (async () => {
        for (; !over; took(page.length / eachEvent)) await raw.publish(page);
      })();
      return async () => {
        over = true;
        await running;
      };
    });
  }

  try {
    await fill(stage, events);
    for (const { name, start } of brokers) {
      const found = peer(peerOf[name] ?? name);
      if ("missing" in found) {
        missing.push(`${name}: ${found.missing}`);
        continue;
      }
      const { bus, raw, stop } = await start();
      try {
        const rates = { relay: [] as number[], publish: [] as number[], consume: [] as number[], read: [] as number[] };
        for (let round = 0; round < rounds; round++) {
          let page: readonly BusMessage[] = [];
          rates.relay.push(await relayed(bus, (messages) => void (page = messages.length > page.length ? messages : page)));
          const eachEvent = page.length / new Set(page.map(({ event }) => event.id)).size;
          rates.publish.push(await rawPublished(raw, page, eachEvent));
          rates.consume.push(await consumed(bus));
          // A topic has each event once; what was published by hand went to one place.
          rates.read.push(await rawConsumed(raw, 1));
        }
        results.push({ name, relay: { platform: median(rates.relay), raw: median(rates.publish) }, consume: { platform: median(rates.consume), raw: median(rates.read) } });
      } finally {
        await bus.close();
        await raw.close();
        await stop();
      }
    }
    const bus = createPostgresBus({ database, line, timer: systemTimer, clock: systemClock, log, random: Math.random });
    const raw = await rawPostgres(stage.superuser);
    try {
      const rates = { consume: [] as number[], read: [] as number[] };
      for (let round = 0; round < rounds; round++) {
        rates.consume.push(await consumed(bus));
        rates.read.push(await rawConsumed(raw, 1));
      }
      results.unshift({ name: "postgres", consume: { platform: median(rates.consume), raw: median(rates.read) } });
    } finally {
      await bus.close();
      await raw.close();
    }
    return { events, rounds, buses: results, missing };
  } finally {
    await line.close();
    await database.close();
  }
}

/** So many events with a position are in the log, of many streams. */
async function fill(stage: Stage, events: number): Promise<void> {
  const sealed = async (): Promise<number> => Number((await statement(stage.superuser, "select count(*) as n from events.log where position is not null")).rows[0]?.n);
  const database = stage.open(16);
  const origin = { orgId: stage.orgId, actor: "system", operation: "bench.append", requestId: ids.uuid(), door: "http", ai: anonymous.ai };
  const ports = { clock: systemClock, ids, privateBodies: createPrivateBodies(stage.secrets) };
  try {
    let wanted = events - (await sealed());
    await Promise.all(Array.from({ length: 16 }, async () => {
      while (wanted-- > 0) await database.tenant(stage.orgId, (db) => appender(db, { ...origin, ...ports }).append({ type: SiteCreated, subject: toTypeId("sit", ids.uuid()), data: {} }));
    }));
    for (const deadline = performance.now() + limitMs; (await sealed()) < events;) {
      if (performance.now() > deadline) throw new Error(`the log has not ${events} events with a position after ${limitMs / 1_000} s`);
      await systemTimer.sleep(50);
    }
  } finally {
    await database.close();
  }
}

/** A second, from the first that was taken to the one that makes `events`. */
async function rateOf(events: number, begin: (took: (n: number) => void) => Promise<() => Promise<void>>): Promise<number> {
  let count = 0;
  let first: { at: number; count: number } | undefined;
  const done = Promise.withResolvers<number>();
  function took(n: number): void {
    count += n;
    first ??= { at: performance.now(), count };
    if (count >= events) done.resolve((count - first.count) / ((performance.now() - first.at) / 1_000));
  }
  const late = setTimeout(() => done.reject(new Error(`${Math.round(count)} of ${events} events after ${limitMs / 1_000} s`)), limitMs);
  const end = await begin(took);
  try {
    return await done.promise;
  } finally {
    clearTimeout(late);
    await end();
  }
}
