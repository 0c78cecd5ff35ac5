import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLocalBus, startRelay, type Bus, type Relay } from "./relay.ts";
import { eventsFixture, silent, until, type EventsFixture } from "./testing.ts";
import { systemTimer } from "./timer.ts";

let log: EventsFixture;
let relays: Relay[];
beforeEach(async () => {
  relays = [];
  log = await eventsFixture();
  log.sealer();
});
afterEach(async () => {
  for (const relay of relays) await relay.stop();
  await log.close();
});

function relay(bus: Bus): Relay {
  const made = startRelay({ database: log.database, line: log.line(), timer: { sleep: (ms, signal) => systemTimer.sleep(Math.min(ms, 10), signal) }, log: silent, bus, random: () => 0 });
  relays.push(made);
  return made;
}

describe("the relay", () => {
  it("publishes each event to its topics, by position, and goes on after a restart", async () => {
    const bus = createLocalBus();
    const heard: string[] = [];
    for (const topic of ["audit.events", "asset.changes", "drift.detected", "task.status"]) bus.subscribe(topic, (event) => void heard.push(`${topic} ${event.type}`));
    const first = relay(bus);
    await log.append({ type: "inventory.asset-registered" });
    await log.append({ type: "images.registered" });
    await until(() => heard.length === 3);
    await first.stop();
    relay(bus);
    await log.append({ type: "drift.detected" });
    await until(() => heard.length === 5);
    expect(heard).toEqual([
      "audit.events inventory.asset-registered", "asset.changes inventory.asset-registered", "audit.events images.registered",
      "audit.events drift.detected", "drift.detected drift.detected",
    ]);
  });

  it("publishes again what a bus did not take, and skips nothing", async () => {
    const published: string[] = [];
    let down = 3;
    relay({
      name: "flaky",
      async publish(_topic, event) {
        if (event.subject === "second" && down-- > 0) throw new Error("the bus is away");
        published.push(event.subject);
      },
    });
    for (const subject of ["first", "second", "third"]) await log.append({ subject });
    await until(() => published.length === 3);
    expect(published).toEqual(["first", "second", "third"]);
  });
});
