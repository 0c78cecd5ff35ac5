import { readFile } from "node:fs/promises";
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
import { createAuthority } from "./support/certificates.ts";
import { startNats, type NatsServer } from "./support/nats.ts";
import { describeWith } from "./support/peer.ts";
import { temporaryFolder } from "./support/process.ts";
import { startToxiproxy, type FaultProxy, type Toxiproxy } from "./support/toxiproxy.ts";

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

  it("given a handler that does not end, when its server closes, then another of the group goes on where it was", async () => {
    const [first, standby] = [await opened(), await opened()];
    const topic = newTopic();
    const messages = topic.messages(["a", "b", "a", "b", "a", "b"]);
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

  it("given a group at work, when another member takes it back to the start, then all comes once more in order, and what is new once", async () => {
    const bus = await opened();
    const topic = newTopic();
    const messages = topic.messages(["a", "b", "a", "b"]);
    await bus.publish(messages);
    const order: BusMessage[] = [];
    const handle = async (message: BusMessage): Promise<void> => void order.push(message);
    const working = await readerOf(bus, topic, { handle });
    await working.has(4);
    await readerOf(await opened(), topic, { handle, from: "start", replay: true });
    await until(() => order.length === 8);
    await bus.publish(topic.messages(["a"]));
    await until(async () => order.length >= 9 && (await bus.lag(topic.name, "readers")) === 0);
    const [a = "", b = ""] = messages.map(({ key }) => key);
    expect(byKey(order)).toEqual({ [a]: ["a1", "a2", "a1", "a2", "a3"], [b]: ["b1", "b2", "b1", "b2"] });
  });

  it("given a group that nobody has made, when it is asked how far it is, then all of the topic is before it", async () => {
    const bus = await opened();
    const topic = newTopic();
    await bus.publish(topic.messages(["a", "b", "c", "a"]));
    expect(await bus.lag(topic.name, "nobody")).toBe(4);
  });

  it.each(["0", "-1", "1.5", "0:3", ""])("given %j as an offset, when a group is to begin there, then it is told what an offset is", async (offset) => {
    const bus = await opened();
    await expect(readerOf(bus, newTopic(), { from: { offset } })).rejects.toMatchObject({ type: { code: "invalid-input" }, message: expect.stringContaining("is not one of NATS") as string });
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

  it("given a server that is gone, when something is asked of the bus, then it says so, and closes all the same", async () => {
    const gone = await startNats();
    const bus = await openNatsBus({ url: gone.url, log, clock: systemClock });
    const topic = newTopic();
    const reader = await readerOf(bus, topic);
    await bus.publish(topic.messages(["a"]));
    await reader.has(1);
    await gone.stop();
    const unavailable = { type: { code: "bus-unavailable" }, message: expect.stringContaining(`127.0.0.1:${gone.port}`) as string };
    await expect(bus.publish(topic.messages(["a", "a"]))).rejects.toMatchObject(unavailable);
    await expect(bus.lag(topic.name, "readers")).rejects.toMatchObject(unavailable);
    expect(await bus.health()).toContain("NATS");
    await bus.close();
    await reader.stop();
    await expect(openNatsBus({ url: gone.url, log, clock: systemClock })).rejects.toMatchObject(unavailable);
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

describeWith(["nats-server", "openssl"], "NATS over TLS", () => {
  it("given a server that asks for a certificate, when one is shown, then it is taken; without one, or where the server's is of another authority, not", async () => {
    const folder = await temporaryFolder("nats-tls");
    const [ours, other] = [await createAuthority(folder.path), await createAuthority(folder.path, "other")];
    const [at, own] = [await ours.issue("server"), await ours.issue("client")];
    const ca = await readFile(ours.certificate, "utf8");
    const shown = { ca, cert: await readFile(own.cert, "utf8"), key: await readFile(own.key, "utf8") };
    const server = await startNats({ settings: `tls { cert_file: "${at.cert}", key_file: "${at.key}", ca_file: "${ours.certificate}", verify: true }`, tls: shown });
    const plain = await startNats();
    const open = (url: string, tls?: typeof shown): Promise<string> =>
      openNatsBus({ url, log, clock: systemClock, ...(tls === undefined ? {} : { tls }) }).then(async (bus) => {
        const health = await bus.health();
        await bus.close();
        return health;
      }, (error: unknown) => (error as Error).message);
    try {
      expect(await open(server.url, shown)).toBe("ok");
      expect(await open(server.url)).toContain("does not do what it was asked");
      expect(await open(server.url, { ...shown, ca: await readFile(other.certificate, "utf8") })).toContain("certificate");
      expect(await open(plain.url, shown)).toContain("server does not support 'tls'");
    } finally {
      await Promise.all([server.stop(), plain.stop(), folder.remove()]);
    }
  });
});

describeWith(["nats-server", "toxiproxy"], "NATS JetStream behind a connection that breaks", () => {
  let server: NatsServer;
  let proxies: Toxiproxy;
  let direct: EventBus;
  beforeAll(async () => {
    server = await startNats();
    proxies = await startToxiproxy();
    direct = await openNatsBus({ url: server.url, log, clock: systemClock });
  });
  afterAll(async () => {
    await direct.close();
    await proxies.stop();
    await server.stop();
  });

  async function behind(name: string): Promise<{ bus: EventBus; proxy: FaultProxy }> {
    const proxy = await proxies.before(name, server.port);
    return { proxy, bus: await openNatsBus({ url: `nats://127.0.0.1:${proxy.port}`, log, clock: systemClock }) };
  }

  it("given a consumer, when its connection breaks again and again, then it gets each key in order and misses nothing", { timeout: 120_000 }, async () => {
    const { bus, proxy } = await behind("breaks");
    const topic = newTopic();
    const order: BusMessage[] = [];
    await readerOf(bus, topic, {
      atOnce: 8,
      async handle(message) {
        order.push(message);
        await systemTimer.sleep(1);
      },
    });
    const published: BusMessage[] = [];
    for (let round = 1; round <= 5; round++) {
      for (let batch = 1; batch <= 5; batch++) {
        const messages = topic.messages(Array.from({ length: 80 }, (_, n) => `k${n % 10}_`));
        await direct.publish(messages);
        published.push(...messages);
      }
      await until(() => order.length > published.length - 300);
      await proxy.stop();
      await proxy.mend();
    }
    await until(() => new Set(subjectsOf(order)).size === published.length);
    await until(async () => (await direct.lag(topic.name, "readers")) === 0);
    expect(firsts(byKey(order))).toEqual(byKey(published));
    await bus.close();
  });

  it("given a group of two, when the one that works is cut off, then the other goes on in the order of each key", { timeout: 120_000 }, async () => {
    const { bus, proxy } = await behind("cut-off");
    const topic = newTopic();
    const order: BusMessage[] = [];
    const handle = async (message: BusMessage): Promise<void> => {
      order.push(message);
      await systemTimer.sleep(1);
    };
    const published = topic.messages(Array.from({ length: 200 }, (_, n) => `k${n % 10}_`));
    await direct.publish(published);
    const one = await readerOf(bus, topic, { handle, atOnce: 2 });
    await one.has(50);
    const other = await readerOf(direct, topic, { handle, atOnce: 2 });
    await proxy.stop();
    const more = topic.messages(Array.from({ length: 200 }, (_, n) => `k${n % 10}_`));
    await direct.publish(more);
    await until(() => new Set(subjectsOf(order)).size === 400);
    expect(other.given.length).toBeGreaterThan(0);
    await until(async () => (await direct.lag(topic.name, "readers")) === 0);
    expect(firsts(byKey(order))).toEqual(byKey([...published, ...more]));
    await proxy.mend();
    await bus.close();
    await other.stop();
  });
});

/** Without what came again after something later of its key had come. */
function firsts(handled: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(handled).map(([key, subjects]) => [key, [...new Set(subjects)]]));
}
