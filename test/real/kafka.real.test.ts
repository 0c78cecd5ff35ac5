import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/platform/clock.ts";
import { DeclaredError } from "../../src/platform/errors.ts";
import { openKafkaBus } from "../../src/platform/events/bus/kafka/index.ts";
import { busContract } from "../../src/platform/events/bus/testing/contract.ts";
import { byKey, messageOf, newTopic, readerOf } from "../../src/platform/events/bus/testing/messages.ts";
import { BusUnavailable, type BusMessage, type Consumer, type Delivered, type EventBus } from "../../src/platform/events/bus/types.ts";
import { until } from "../../src/platform/events/testing.ts";
import { systemTimer } from "../../src/platform/events/timer.ts";
import { createAuthority } from "./support/certificates.ts";
import { startKafka, type KafkaBroker } from "./support/kafka.ts";
import { describeWith } from "./support/peer.ts";
import { startServer, temporaryFolder } from "./support/process.ts";

const log = pino({ level: process.env["KAFKA_TEST_LOG"] ?? "silent" });

/** Each event as it came first. */
function firsts(messages: readonly Delivered[]): Delivered[] {
  const seen = new Set<string>();
  return messages.filter(({ event }) => !seen.has(event.id) && seen.add(event.id).size > 0);
}

describeWith(["kafka", "openssl"], "Kafka", () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafka();
  }, 120_000);
  afterAll(() => broker.stop());
  const open = (): Promise<EventBus> => openKafkaBus({ url: broker.url, log, clock: systemClock });

  busContract("Kafka", async () => {
    const bus = await open();
    const buses = [bus];
    return {
      bus,
      async again() {
        const another = await open();
        buses.push(another);
        return another;
      },
      async close() {
        for (const each of buses) await each.close();
      },
    };
  });

  it("takes a thousand messages of 64 KB in one call", { timeout: 120_000 }, async () => {
    const bus = await open();
    const topic = newTopic();
    const large = messageOf(topic, 64 * 1_024);
    const messages = topic.messages(Array.from({ length: 1_000 }, (_, n) => `k${n % 20}_`)).map((message) => ({ ...message, event: { ...message.event, data: large.event.data } }));
    const handled: Record<string, string[]> = {};
    let count = 0;
    await bus.consume({
      topic: topic.name, group: "readers", from: "start",
      async handle({ key, event }) {
        (handled[key] ??= []).push(event.subject);
        count += 1;
      },
    });
    await bus.publish(messages);
    await until(() => count >= 1_000);
    expect(handled).toEqual(byKey(messages));
    await bus.close();
  });

  it("loses nothing and keeps the order while consumers come and go, and gives no key to two at once", { timeout: 120_000 }, async () => {
    const bus = await open();
    const topic = newTopic();
    const keys = Array.from({ length: 30 }, (_, n) => `k${n}_`);
    const handled: Delivered[] = [];
    const inHand = new Set<string>();
    let twice = 0;
    const consume = (): Promise<Consumer> => bus.consume({
      topic: topic.name, group: "readers", from: "start",
      async handle(message) {
        if (inHand.has(message.key)) twice += 1;
        inHand.add(message.key);
        await systemTimer.sleep(2);
        inHand.delete(message.key);
        handled.push(message);
      },
    });
    await consume();
    const published: BusMessage[] = [];
    let ending = false;
    const publishing = (async () => {
      while (!ending) {
        const messages = topic.messages(keys);
        await bus.publish(messages);
        published.push(...messages);
        await until(() => published.length - handled.length < 600);
      }
    })();
    for (let round = 0; round < 4; round += 1) {
      const others = await Promise.all([consume(), consume()]);
      const before = handled.length;
      await until(() => handled.length > before + 100);
      await others[0].stop();
      await others[1].stop();
    }
    ending = true;
    await publishing;
    await until(async () => (await bus.lag(topic.name, "readers")) === 0);
    expect(twice).toBe(0);
    expect(byKey(firsts(handled))).toEqual(byKey(published));
    await bus.close();
  });

  it("gives what a killed process had in hand to another one, and what lay behind it in its order", { timeout: 120_000 }, async () => {
    const bus = await open();
    const topic = newTopic();
    const messages = topic.messages(["a", "b", "a", "c", "a", "b"]);
    await bus.publish(messages);
    const killed = startServer(process.execPath, [join(import.meta.dirname, "support/kafka-consumer.ts"), broker.url, topic.name, "a2"]);
    const other = ["b1", "b2", "c1"];
    await until(() => ["a1", "a2", ...other].every((subject) => killed.log().includes(`given ${subject}\n`)));
    await killed.stop("SIGKILL");
    const second = await readerOf(bus, topic);
    const subjects = (): string[] => second.handled.map(({ event }) => event.subject).filter((subject) => subject.startsWith("a"));
    await until(() => subjects().includes("a3"));
    // a1 comes again where its offset was not committed yet.
    expect(subjects().filter((subject) => subject !== "a1")).toEqual(["a2", "a3"]);
    expect(killed.log()).not.toContain("given a3");
    await bus.close();
  });

  it("reaches a broker that asks for certificates, and none that it cannot trust", { timeout: 120_000 }, async () => {
    const folder = await temporaryFolder("kafka-tls");
    const [ours, theirs] = [await createAuthority(folder.path), await createAuthority(folder.path, "other")];
    const [server, us] = [await ours.issue("broker"), await ours.issue("platform")];
    const pem = async (file: string): Promise<string> => readFile(file, "utf8");
    const tls = { ca: await pem(ours.certificate), cert: await pem(us.cert), key: await pem(us.key), rejectUnauthorized: true };
    const secure = await startKafka({ tls: { ...server, ca: ours.certificate, client: tls } });
    try {
      const bus = await openKafkaBus({ url: secure.url, tls, log, clock: systemClock });
      const topic = newTopic();
      await bus.publish(topic.messages(["a"]));
      const reader = await readerOf(bus, topic);
      await reader.has(1);
      await bus.close();
      for (const wrong of [{ ...tls, ca: await pem(theirs.certificate) }, { ca: tls.ca }, undefined]) {
        const refused = await openKafkaBus({ url: secure.url, ...(wrong && { tls: wrong }), log, clock: systemClock });
        expect(await refused.health()).toContain("cannot be reached");
        await refused.close();
      }
    } finally {
      await secure.stop();
      await folder.remove();
    }
  });

  describe("a broker that is killed", () => {
    it.each([
      ["for a moment", 1],
      ["for longer than its members' sessions", 8],
    ])("%s loses nothing that it has acknowledged, and keeps the order of each key", { timeout: 180_000 }, async (_how, refused) => {
      const bus = await open();
      const topic = newTopic();
      const keys = Array.from({ length: 12 }, (_, n) => `k${n}_`);
      const published: BusMessage[] = [];
      const handled: Delivered[] = [];
      await bus.consume({ topic: topic.name, group: "readers", from: "start", baseMs: 1, handle: async (message) => void handled.push(message) });
      let ending = false;
      let failures = 0;
      const acknowledged = async (messages: BusMessage[]): Promise<boolean> => {
        try {
          await bus.publish(messages);
          return true;
        } catch (error) {
          if (!(error instanceof DeclaredError) || error.type !== BusUnavailable) throw error;
          return false;
        }
      };
      const publishing = (async () => {
        while (!ending) {
          const messages = topic.messages(keys);
          // As the relay does: the same again until it is acknowledged, and nothing else before that.
          while (!(await acknowledged(messages))) failures += 1;
          published.push(...messages);
        }
      })();
      await until(() => handled.length > 500);
      await broker.kill();
      expect(await bus.health()).not.toBe("ok");
      await until(() => failures >= refused);
      const before = published.length;
      await broker.start();
      await until(() => published.length > before + 500);
      ending = true;
      await publishing;
      await until(async () => (await bus.lag(topic.name, "readers")) === 0);
      expect(byKey(firsts(handled))).toEqual(byKey(published));
      expect(await bus.health()).toBe("ok");
      await bus.close();
    });
  });
});
