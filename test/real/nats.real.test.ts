import { pino } from "pino";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { connect } from "@nats-io/transport-node";
import { systemClock } from "../../src/platform/clock.ts";
import { openNatsBus } from "../../src/platform/events/bus/nats/index.ts";
import { busContract } from "../../src/platform/events/bus/testing/contract.ts";
import { byKey, newTopic, readerOf, subjectsOf } from "../../src/platform/events/bus/testing/messages.ts";
import type { BusMessage, EventBus } from "../../src/platform/events/bus/types.ts";
import { systemTimer } from "../../src/platform/events/timer.ts";
import { until } from "../../src/platform/events/testing.ts";
import { startNats, type NatsServer } from "./support/nats.ts";
import { describeWith } from "./support/peer.ts";

const log = pino({ level: process.env["QINFRA_TEST_LOG"] ?? "silent" });

describeWith(["nats-server"], "NATS JetStream", () => {
  let server: NatsServer;
  const open = new Set<EventBus>();
  beforeAll(async () => {
    server = await startNats();
  });
  afterEach(async () => {
    for (const bus of open) await bus.close();
    open.clear();
  });
  afterAll(() => server.stop());

  async function opened(url = server.url): Promise<EventBus> {
    const bus = await openNatsBus({ url, log, clock: systemClock });
    open.add(bus);
    return bus;
  }

  busContract("nats", async () => {
    const buses = [await opened()];
    return {
      bus: buses[0] as EventBus,
      async again() {
        const bus = await opened();
        buses.push(bus);
        return bus;
      },
      async close() {
        await Promise.all(buses.map((bus) => bus.close()));
      },
    };
  });

  it("given an event that was published, when it is published again, alone or among others, then it is one message", async () => {
    const bus = await opened();
    const topic = newTopic();
    const messages = topic.messages(["a", "b", "a", "a"]);
    await bus.publish(messages.slice(0, 2));
    await bus.publish(messages.slice(0, 1));
    await bus.publish(messages);
    await bus.publish(messages);
    const reader = await readerOf(bus, topic);
    await reader.has(4);
    await until(async () => (await bus.lag(topic.name, "readers")) === 0);
    expect(subjectsOf(reader.given)).toEqual(["a1", "b1", "a2", "a3"]);
  });

  it("given a server that is killed while messages are published and consumed, when it starts again on its data, then nothing acknowledged is lost", { timeout: 120_000 }, async () => {
    const bus = await opened();
    const topic = newTopic();
    const reader = await readerOf(bus, topic, { atOnce: 4, handle: () => systemTimer.sleep(1) });
    const acknowledged: BusMessage[] = [];
    let refused = 0;
    let writing = true;

    async function write(key: string): Promise<void> {
      while (writing) {
        const batch = topic.messages([key, key, key]);
        for (let stored = false; !stored; ) {
          stored = await bus.publish(batch).then(() => true, () => false);
          refused += stored ? 0 : 1;
        }
        acknowledged.push(...batch);
      }
    }
    const writers = ["a", "b", "c"].map(write);
    for (let round = 1; round <= 3; round++) {
      const before = acknowledged.length;
      await until(() => acknowledged.length > before + 60 && reader.handled.length > before / 2);
      await server.kill();
      await until(() => refused >= round);
      await server.start();
      await until(async () => (await bus.health()) === "ok");
    }
    writing = false;
    await Promise.all(writers);

    const missing = (): string[] => {
      const handled = new Set(subjectsOf(reader.handled));
      return subjectsOf(acknowledged).filter((subject) => !handled.has(subject));
    };
    await until(async () => missing().length === 0 && (await bus.lag(topic.name, "readers")) === 0);
    expect(firsts(byKey(reader.handled))).toEqual(byKey(acknowledged));
  });

  it("given a member that works and is cut off, when another of its group stands by, then that one goes on where the first was", async () => {
    const standby = await opened();
    const topic = newTopic();
    const messages = topic.messages(["a", "b", "a", "b", "a", "b"]);
    const first = await opened();
    await first.publish(messages);
    const never = new AbortController();
    const one = await readerOf(first, topic, { handle: ({ event }) => (event.subject === "a2" ? systemTimer.sleep(120_000, never.signal) : Promise.resolve()) });
    await until(() => subjectsOf(one.given).includes("a2") && subjectsOf(one.handled).includes("b3"));
    const other = await readerOf(standby, topic);
    const ended = first.close();
    await other.has(2);
    expect(byKey(other.handled)[messages[0]?.key ?? ""]).toEqual(["a2", "a3"]);
    never.abort();
    await ended;
  });

  it("given something on the bus that is no event, when it is read, then the events behind it come all the same", async () => {
    const bus = await opened();
    const topic = newTopic();
    const client = await connect({ servers: `127.0.0.1:${server.port}` });
    await client.request(`qinfra.${topic.name}.0`, "not JSON", { timeout: 5_000 });
    await client.close();
    await bus.publish(topic.messages(["a"]));
    const reader = await readerOf(bus, topic);
    await reader.has(1);
    await until(async () => (await bus.lag(topic.name, "readers")) === 0);
    expect(subjectsOf(reader.given)).toEqual(["a1"]);
  });

  it("given a server that asks for a password, when it is right or wrong, then it is taken or refused, and no message tells it", async () => {
    const guarded = await startNats({ settings: 'authorization { user: "qinfra", password: "to p:s" }', login: { user: "qinfra", pass: "to p:s" } });
    try {
      const bus = await opened(`nats://qinfra:to%20p%3As@127.0.0.1:${guarded.port}`);
      expect(await bus.health()).toBe("ok");
      const wrong = await openNatsBus({ url: `nats://qinfra:guessed@127.0.0.1:${guarded.port}`, log, clock: systemClock }).catch((error: unknown) => error);
      expect(wrong).toMatchObject({ type: { code: "bus-unavailable" }, message: expect.not.stringContaining("guessed") as string });
    } finally {
      for (const bus of open) await bus.close();
      await guarded.stop();
    }
  });
});

/** Without what came again after something later of its key had come. */
function firsts(handled: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(handled).map(([key, subjects]) => [key, [...new Set(subjects)]]));
}
