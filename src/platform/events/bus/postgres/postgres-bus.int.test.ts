import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../clock.ts";
import { Conflict, InvalidInput } from "../../../errors.ts";
import { appender } from "../../append.ts";
import { anyType, eventsFixture, silent, until, type EventsFixture } from "../../testing.ts";
import { systemTimer, type Timer } from "../../timer.ts";
import { busContract } from "../testing/contract.ts";
import { messageOf, newTopic, readerOf, subjectsOf } from "../testing/messages.ts";
import { BusUnavailable, type BusMessage, type EventBus } from "../types.ts";
import { createPostgresBus, type PostgresBusOptions } from "./postgres-bus.ts";

/** Waits only shortly where a poll is meant. */
const timer: Timer = { sleep: (ms, signal) => systemTimer.sleep(ms <= 1_000 ? Math.min(ms, 10) : ms, signal) };

/** The topics of the contract: `<topic>.happened` is in `<topic>`. */
function busOf(log: EventsFixture, options: Partial<PostgresBusOptions> = {}): EventBus {
  return createPostgresBus({
    database: log.database, line: log.line(), timer, clock: systemClock, log: silent, random: () => 0, prefixOf: (topic) => `${topic}.`, ...options,
  });
}

/** As a module appends, in one transaction an organization, but with the ids and times given. */
async function append(log: EventsFixture, messages: readonly BusMessage[]): Promise<void> {
  const [first] = messages;
  if (first === undefined) return;
  await log.database.tenant(first.event.orgid, async (db) => {
    for (const { event } of messages) {
      const { id, orgid: orgId, actor, operation, requestid: requestId, door, ai, type, subject, stream, data } = event;
      const ids = { uuid: () => id };
      const clock = { now: () => Date.parse(event.time) };
      await appender(db, { orgId, actor, operation, requestId, door, ai, clock, ids, privateBodies: log.privateBodies }).append({ type: anyType(type), subject, stream, data });
    }
  });
}

let shared: EventsFixture;
beforeAll(async () => {
  shared = await eventsFixture();
  shared.sealer();
});
afterAll(() => shared.close());

busContract("the event log in PostgreSQL", async () => {
  const log = shared;
  const opened: EventBus[] = [];
  function open(): EventBus {
    const bus = busOf(log);
    opened.push(bus);
    return {
      ...bus,
      async publish(messages) {
        await append(log, messages);
        await bus.publish(messages);
      },
    };
  }
  return {
    bus: open(),
    again: async () => open(),
    async close() {
      for (const bus of opened) await bus.close();
    },
  };
});

describe("the event log as a bus", () => {
  let log: EventsFixture;
  let bus: EventBus;
  beforeEach(async () => {
    log = await eventsFixture();
    bus = busOf(log);
  });
  afterEach(async () => {
    await bus.close();
    await log.close();
  });

  it("refuses to publish what is not in the log", async () => {
    await expect(bus.publish(newTopic().messages(["a"]))).rejects.toMatchObject({ type: InvalidInput, message: expect.stringContaining("1 of 1 events are not in the event log") as string });
  });

  it("does not call published what nobody seals", async () => {
    const impatient = busOf(log, { sealedMs: 50 });
    const messages = newTopic().messages(["a"]);
    await append(log, messages);
    await expect(impatient.publish(messages)).rejects.toMatchObject({ type: BusUnavailable });
    log.sealer();
    await bus.publish(messages);
  });

  it.each([
    ["a topic that is not there", { topic: "weather" }, "There is no topic weather."],
    ["a name that is no group", { group: "a b" }, "is not a group"],
    ["an offset of another bus", { from: { offset: "3:17" } }, "is not an offset of this bus"],
  ])("refuses %s", async (_what, wrong, message) => {
    const ours = busOf(log, { prefixOf: (topic) => (topic === "weather" ? undefined : `${topic}.`) });
    const asked = ours.consume({ topic: "here", group: "g", from: "start", handle: async () => undefined, ...wrong });
    await expect(asked).rejects.toMatchObject({ type: InvalidInput, message: expect.stringContaining(message) as string });
  });

  it("takes no group back that somebody consumes", async () => {
    const topic = newTopic();
    log.sealer();
    const messages = topic.messages(["a"]);
    await append(log, messages);
    const reader = await readerOf(bus, topic);
    await reader.has(1);
    await expect(readerOf(busOf(log), topic, { replay: true })).rejects.toMatchObject({ type: Conflict });
  });

  it("gives a topic of the platform its events, and the audit topic all", async () => {
    log.sealer();
    const platform = createPostgresBus({ database: log.database, line: log.line(), timer, clock: systemClock, log: silent, random: () => 0 });
    const heard: string[] = [];
    for (const topic of ["asset.changes", "audit.events"]) {
      await platform.consume({ topic, group: "g", from: "start", handle: async ({ event }) => void heard.push(`${topic} ${event.type}`) });
    }
    await log.append({ type: "inventory.asset-registered" });
    await log.append({ type: "images.registered" });
    await until(() => heard.length === 3);
    expect(heard.toSorted()).toEqual(["asset.changes inventory.asset-registered", "audit.events images.registered", "audit.events inventory.asset-registered"]);
    await platform.close();
  });

  it("leaves out what was handled ahead of one that was not", async () => {
    log.sealer();
    const topic = newTopic();
    await append(log, topic.messages(["a", "b", "c"]));
    const first = await readerOf(bus, topic, {
      baseMs: 60_000,
      async handle({ event }) {
        if (event.subject === "a1") throw new Error("not yet");
      },
    });
    await first.has(2);
    await first.stop();
    const second = await readerOf(bus, topic);
    await second.has(1);
    await append(log, topic.messages(["d"]));
    await second.has(2);
    expect(subjectsOf(second.handled)).toEqual(["a1", "d1"]);
  });

  it("gives what was in hand again when the connection with the group's lock is cut", async () => {
    log.sealer();
    const topic = newTopic();
    await append(log, topic.messages(["a", "a"]));
    const reader = await readerOf(bus, topic, {
      handle: (_message, signal) => (reader.given.length > 1 ? Promise.resolve() : new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("cut"))))),
    });
    await until(() => reader.given.length === 1);
    const admin = await log.connect("superuser");
    await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'qinfra direct'");
    await admin.end();
    await reader.has(2);
    expect(subjectsOf(reader.given)).toEqual(["a1", "a1", "a2"]);
  });

  it("reads on past many events of other topics", async () => {
    log.sealer();
    const [quiet, loud] = [newTopic(), newTopic()];
    const reader = await readerOf(bus, quiet);
    await append(log, [...loud.messages(Array.from({ length: 500 }, () => "a")), ...quiet.messages(["a"])]);
    await append(log, [messageOf(loud, 1_000)]);
    await reader.has(1);
    await until(async () => (await bus.lag(quiet.name, "readers")) === 0);
    expect(subjectsOf(reader.handled)).toEqual(["a1"]);
  });
});
