import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NotFound } from "../../../errors.ts";
import { until } from "../../testing.ts";
import type { ConsumerOptions, Delivered, EventBus } from "../types.ts";
import { byKey, messageOf, newTopic, readerOf, subjectsOf, uniqueName, type Topic } from "./messages.ts";

export interface BusUnderTest {
  bus: EventBus;
  /** Another client of the same broker, as another server has one. */
  again(): Promise<EventBus>;
  /** Closes what `again` opened too; what is closed already may be closed again. */
  close(): Promise<void>;
}

const keys = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] as const;

/** What every bus has to do. Each test has a topic of its own; groups are named within a topic. */
export function busContract(title: string, open: () => Promise<BusUnderTest>): void {
  describe(`events on ${title}`, { timeout: 60_000 }, () => {
    let test: BusUnderTest;
    let bus: EventBus;
    let topic: Topic;
    beforeEach(async () => {
      test = await open();
      bus = test.bus;
      topic = newTopic();
    }, 60_000);
    afterEach(() => test.close(), 60_000);

    /** Holds whoever waits for it until it is opened. */
    function gate(): { opened: Promise<void>; open(): void } {
      const { promise, resolve } = Promise.withResolvers<void>();
      return { opened: promise, open: resolve };
    }

    describe("publishing and consuming", () => {
      it("gives each message as it was published, with its offset", async () => {
        const messages = topic.messages(["a", "a", "a"], { count: 7, words: ["ä", "€", "\u{1F600}"], nested: { none: null } });
        await bus.publish(messages);
        const reader = await readerOf(bus, topic);
        await reader.has(3);
        expect(reader.handled).toEqual(messages.map((message) => ({ ...message, offset: expect.any(String) as string, attempt: 1 })));
        expect(new Set(reader.handled.map(({ offset }) => offset)).size).toBe(3);
      });

      it("takes a thousand messages at once, in the order of each key", async () => {
        const reader = await readerOf(bus, topic, { atOnce: 50 });
        const messages = topic.messages(Array.from({ length: 1_000 }, (_, n) => `k${n % 50}_`));
        await bus.publish(messages);
        await reader.has(1_000);
        expect(byKey(reader.handled)).toEqual(byKey(messages));
      });

      it("takes a message of 64 KB", async () => {
        const message = messageOf(topic, 64 * 1_024);
        await bus.publish([message]);
        const reader = await readerOf(bus, topic);
        await reader.has(1);
        expect(reader.handled[0]?.event).toEqual(message.event);
      });

      it("takes no message at all", async () => {
        await bus.publish([]);
        await bus.publish(topic.messages(["a"]));
        const reader = await readerOf(bus, topic);
        await reader.has(1);
        expect(subjectsOf(reader.given)).toEqual(["a1"]);
      });
    });

    describe("at least once", () => {
      it("gives a message again to a handler that failed, and counts", async () => {
        await bus.publish(topic.messages(["a", "a"]));
        const reader = await readerOf(bus, topic, {
          attempts: 5,
          async handle({ event, attempt }) {
            if (event.subject === "a1" && attempt < 3) throw new Error("not yet");
          },
        });
        await reader.has(2);
        expect(reader.given.map(({ event, attempt }) => `${event.subject} ${attempt}`)).toEqual(["a1 1", "a1 2", "a1 3", "a2 1"]);
        expect(await bus.deadLetters(topic.name, "readers", 10)).toEqual([]);
      });

      it("goes on with another of the group where one was stopped in the middle", async () => {
        const messages = topic.messages(["a", "b", "c", "a", "b", "c", "a", "b", "c", "a", "b", "c"]);
        await bus.publish(messages);
        const held = gate();
        const first = await readerOf(bus, topic, {
          atOnce: 1,
          async handle() {
            if (first.given.length === 4) await held.opened;
          },
        });
        await until(() => first.given.length === 4);
        const stopped = first.stop();
        held.open();
        await stopped;
        const second = await readerOf(await test.again(), topic);
        await second.has(8);
        expect(subjectsOf(first.given)).toEqual(subjectsOf(first.handled));
        expect(first.handled).toHaveLength(4);
        expect(byKey([...first.handled, ...second.handled])).toEqual(byKey(messages));
      });

      it("gives what a server had in hand when it went to another one", async () => {
        await bus.publish(topic.messages(["a", "a"]));
        const reader = await readerOf(bus, topic, {
          handle: (_message, signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("the server goes")))),
        });
        await until(() => reader.given.length === 1);
        const other = await test.again();
        await bus.close();
        const second = await readerOf(other, topic);
        await second.has(2);
        expect(subjectsOf(second.handled)).toEqual(["a1", "a2"]);
        expect(reader.handled).toEqual([]);
        expect(await other.deadLetters(topic.name, "readers", 10)).toEqual([]);
      });
    });

    describe("order", () => {
      it("keeps the order of each key while one waits and another fails", async () => {
        const messages = topic.messages([...keys, ...keys, ...keys]);
        await bus.publish(messages);
        const held = gate();
        const reader = await readerOf(bus, topic, {
          atOnce: 8,
          async handle({ event, attempt }) {
            if (event.subject === "a1") await held.opened;
            if (event.subject === "b2" && attempt < 3) throw new Error("not yet");
          },
        });
        await reader.has(27);
        expect(reader.given.filter(({ event }) => event.subject.startsWith("a"))).toHaveLength(1);
        held.open();
        await reader.has(30);
        expect(byKey(reader.handled)).toEqual(byKey(messages));
      });
    });

    describe("groups", () => {
      it("gives every group all messages", async () => {
        const readers = [await readerOf(bus, topic, { group: uniqueName("g") }), await readerOf(await test.again(), topic, { group: uniqueName("g") })];
        const messages = topic.messages([...keys, ...keys]);
        await bus.publish(messages);
        for (const reader of readers) {
          await reader.has(20);
          expect(byKey(reader.handled)).toEqual(byKey(messages));
        }
      });

      it("shares the messages of a group among its consumers, in the order of each key", async () => {
        const order: Delivered[] = [];
        const handle = async (message: Delivered): Promise<void> => void order.push(message);
        await readerOf(bus, topic, { handle });
        await readerOf(await test.again(), topic, { handle });
        const messages = topic.messages(Array.from({ length: 200 }, (_, n) => `k${n % 20}_`));
        await bus.publish(messages);
        await until(() => order.length >= 200);
        await until(async () => (await bus.lag(topic.name, "readers")) === 0);
        expect(order).toHaveLength(200);
        expect(byKey(order)).toEqual(byKey(messages));
      });

      it("goes on where a known group was, wherever a new one would begin", async () => {
        await bus.publish(topic.messages(["a", "a"]));
        const first = await readerOf(bus, topic);
        await first.has(2);
        await first.stop();
        await bus.publish(topic.messages(["a"]));
        for (const [from, expected] of [["new", "a3"], ["start", "a4"]] as const) {
          const reader = await readerOf(bus, topic, { from });
          await reader.has(1);
          expect(subjectsOf(reader.handled)).toEqual([expected]);
          await reader.stop();
          await bus.publish(topic.messages(["a"]));
        }
      });
    });

    describe("where a group begins", () => {
      it.each<[string, (third: string) => ConsumerOptions["from"], string[]]>([
        ["at the start", () => "start", ["a1", "a2", "a3", "a4", "a5"]],
        ["with what is new", () => "new", ["a5"]],
        ["at an offset", (third) => ({ offset: third }), ["a3", "a4", "a5"]],
      ])("begins %s", async (_what, from, expected) => {
        await bus.publish(topic.messages(["a", "a", "a", "a"]));
        const third = await offsetOf("a3", 4);
        const reader = await readerOf(bus, topic, { from: from(third) });
        await bus.publish(topic.messages(["a"]));
        await reader.has(expected.length);
        expect(subjectsOf(reader.handled)).toEqual(expected);
      });

      it("misses nothing of other keys that came after the offset", async () => {
        await bus.publish(topic.messages(keys));
        await bus.publish(topic.messages(["mark"]));
        await bus.publish(topic.messages(keys));
        const mark = await offsetOf("mark1", 21);
        const reader = await readerOf(bus, topic, { from: { offset: mark } });
        const wanted = ["mark1", ...keys.map((key) => `${key}2`)];
        await until(() => wanted.every((subject) => subjectsOf(reader.handled).includes(subject)));
        expect(subjectsOf(reader.handled)).toContain("mark1");
      });

      it("begins with what is new in a topic that is not there yet", async () => {
        const reader = await readerOf(bus, topic, { from: "new" });
        await bus.publish(topic.messages(["a"]));
        await reader.has(1);
        expect(subjectsOf(reader.handled)).toEqual(["a1"]);
      });

      it("takes a known group back to an offset, and on from there", async () => {
        await bus.publish(topic.messages(["a", "a", "a", "a"]));
        const first = await readerOf(bus, topic);
        await first.has(4);
        await first.stop();
        const third = first.handled[2]?.offset ?? "";
        const replay = await readerOf(bus, topic, { from: { offset: third }, replay: true });
        await bus.publish(topic.messages(["a"]));
        await replay.has(3);
        expect(subjectsOf(replay.handled)).toEqual(["a3", "a4", "a5"]);
        await replay.stop();
        await bus.publish(topic.messages(["a"]));
        const after = await readerOf(bus, topic);
        await after.has(1);
        expect(subjectsOf(after.handled)).toEqual(["a6"]);
      });

      async function offsetOf(subject: string, count: number): Promise<string> {
        const reader = await readerOf(bus, topic, { group: uniqueName("offsets") });
        await reader.has(count);
        await reader.stop();
        return reader.handled.find(({ event }) => event.subject === subject)?.offset ?? "";
      }
    });

    describe("dead letters", () => {
      let reason: string | undefined;
      const failing: Partial<ConsumerOptions> = {
        attempts: 3,
        async handle({ event }) {
          if (event.subject === "a1" && reason !== undefined) throw new Error(reason);
        },
      };
      const parked = () => bus.deadLetters(topic.name, "readers", 10);
      beforeEach(() => void (reason = "the disk is full"));

      it("puts aside what failed too often, and goes on with those behind it", async () => {
        const messages = topic.messages(["a", "b", "a", "b"]);
        await bus.publish(messages);
        const reader = await readerOf(bus, topic, failing);
        const other = await readerOf(bus, topic, { group: "others" });
        await reader.has(3);
        await other.has(4);
        await until(async () => (await parked()).length === 1);
        expect(await parked()).toEqual([{
          id: expect.any(String) as string, message: messages[0], attempts: 3, reason: expect.stringContaining("the disk is full") as string,
          at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/) as string,
        }]);
        expect(reader.given.filter(({ event }) => event.subject === "a1").map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
        expect(subjectsOf(reader.handled).filter((subject) => subject.startsWith("a"))).toEqual(["a2"]);
        expect(await bus.deadLetters(topic.name, "others", 10)).toEqual([]);
        await until(async () => (await bus.lag(topic.name, "readers")) === 0);
      });

      it("lists no more than it is asked for", async () => {
        await bus.publish(topic.messages(["a", "b", "c"]));
        await readerOf(bus, topic, { attempts: 1, handle: () => Promise.reject(new Error("never")) });
        await until(async () => (await parked()).length === 3);
        expect(await bus.deadLetters(topic.name, "readers", 2)).toHaveLength(2);
      });

      it("gives a dead letter to its group once more, and forgets it when it is handled", async () => {
        await bus.publish(topic.messages(["a", "a"]));
        const reader = await readerOf(bus, topic, failing);
        await until(async () => (await parked()).length === 1);
        await reader.has(1);
        reason = undefined;
        const id = (await parked())[0]?.id ?? "";
        await (await test.again()).redrive(topic.name, "readers", id);
        await reader.has(2);
        expect(subjectsOf(reader.handled)).toEqual(["a2", "a1"]);
        await until(async () => (await parked()).length === 0);
        await expect(bus.redrive(topic.name, "readers", id)).rejects.toMatchObject({ type: NotFound });
      });

      it("keeps what is to be given once more until somebody of the group is there", async () => {
        await bus.publish(topic.messages(["a"]));
        const first = await readerOf(bus, topic, failing);
        await until(async () => (await parked()).length === 1);
        await first.stop();
        await bus.redrive(topic.name, "readers", (await parked())[0]?.id ?? "");
        reason = undefined;
        const second = await readerOf(bus, topic, failing);
        await second.has(1);
        expect(subjectsOf(second.handled)).toEqual(["a1"]);
        await until(async () => (await parked()).length === 0);
      });

      it("puts it aside again, with the new reason, where it fails again", async () => {
        await bus.publish(topic.messages(["a"]));
        const reader = await readerOf(bus, topic, failing);
        await until(async () => (await parked()).length === 1);
        const before = reader.given.length;
        reason = "the disk is gone";
        await bus.redrive(topic.name, "readers", (await parked())[0]?.id ?? "");
        await until(async () => {
          const [letter, ...more] = await parked();
          return more.length === 0 && letter?.reason.includes("the disk is gone") === true;
        });
        expect(reader.given.length).toBeGreaterThan(before);
        expect((await parked())[0]?.message.event.subject).toBe("a1");
      });

      it("finds no dead letter that is not there", async () => {
        await bus.publish(topic.messages(["b"]));
        const reader = await readerOf(bus, topic);
        await reader.has(1);
        await expect(bus.redrive(topic.name, "readers", "nothing")).rejects.toMatchObject({ type: NotFound });
      });
    });

    describe("back-pressure", () => {
      it("has no more in hand than it may, each of another key", async () => {
        const words = Array.from({ length: 60 }, (_, n) => `k${n % 20}_`);
        const held = gate();
        const inHand = new Set<string>();
        let most = 0;
        let twice = 0;
        const reader = await readerOf(bus, topic, {
          atOnce: 3,
          async handle({ key }) {
            twice += inHand.has(key) ? 1 : 0;
            most = Math.max(most, inHand.add(key).size);
            await held.opened;
            inHand.delete(key);
          },
        });
        await bus.publish(topic.messages(words));
        await until(() => inHand.size === 3);
        expect(await bus.lag(topic.name, "readers")).toBe(60);
        expect(reader.given).toHaveLength(3);
        held.open();
        await reader.has(60);
        expect({ most, twice }).toEqual({ most: 3, twice: 0 });
      });
    });

    describe("how far a group is", () => {
      it("counts what a group has not handled", async () => {
        const lagIs = (lag: number): Promise<void> => until(async () => (await bus.lag(topic.name, "readers")) === lag);
        await bus.publish(topic.messages([...keys]));
        const first = await readerOf(bus, topic);
        await first.has(10);
        await lagIs(0);
        await first.stop();
        await bus.publish(topic.messages(["a", "b", "c", "d"]));
        await lagIs(4);
        const second = await readerOf(bus, topic);
        await lagIs(0);
        expect(second.handled).toHaveLength(4);
      });
    });

    describe("its end", () => {
      it("is well until it is closed", async () => {
        expect(await bus.health()).toBe("ok");
        await bus.close();
        expect(await bus.health()).not.toBe("ok");
      });

      it("closes with consumers open", async () => {
        const readers = [await readerOf(bus, topic), await readerOf(bus, topic), await readerOf(bus, topic, { group: "others" })];
        const other = await test.again();
        await bus.close();
        await other.publish(topic.messages(["a"]));
        const after = await readerOf(other, topic);
        await after.has(1);
        expect(readers.flatMap(({ given }) => given)).toEqual([]);
        for (const reader of readers) await reader.stop();
      });
    });
  });
}
