import pino from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/platform/clock.ts";
import { DeclaredError } from "../../src/platform/errors.ts";
import { openKafkaBus } from "../../src/platform/events/bus/kafka/index.ts";
import { busContract } from "../../src/platform/events/bus/testing/contract.ts";
import { byKey, newTopic } from "../../src/platform/events/bus/testing/messages.ts";
import { BusUnavailable, type BusMessage, type Delivered, type EventBus } from "../../src/platform/events/bus/types.ts";
import { until } from "../../src/platform/events/testing.ts";
import { startKafka, type KafkaBroker } from "./support/kafka.ts";
import { describeWith } from "./support/peer.ts";

const log = pino({ level: process.env["KAFKA_TEST_LOG"] ?? "silent" });

describeWith(["kafka"], "Kafka", () => {
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

  describe("a broker that is killed", () => {
    it("loses nothing that it has acknowledged, and keeps the order of each key", { timeout: 180_000 }, async () => {
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
      await until(() => failures > 0);
      const before = published.length;
      await broker.start();
      await until(() => published.length > before + 500);
      ending = true;
      await publishing;
      await until(async () => (await bus.lag(topic.name, "readers")) === 0);
      const seen = new Set<string>();
      const firsts = handled.filter(({ event }) => !seen.has(event.id) && seen.add(event.id).size > 0);
      expect(byKey(firsts)).toEqual(byKey(published));
      expect(await bus.health()).toBe("ok");
      await bus.close();
    });
  });
});
