import { pino } from "pino";
import { expect, it } from "vitest";
import { systemClock } from "../../src/platform/clock.ts";
import type { CloudEvent } from "../../src/platform/events/cloud-event.ts";
import { openKafkaBus } from "../../src/platform/events/bus/kafka/index.ts";
import { openNatsBus } from "../../src/platform/events/bus/nats/index.ts";
import type { EventBus } from "../../src/platform/events/bus/types.ts";
import { until } from "../../src/platform/events/testing.ts";
import { startKafka } from "./support/kafka.ts";
import { startNats } from "./support/nats.ts";
import { describeWith } from "./support/peer.ts";
import { claim, dataFolder, startPlatform } from "./support/platform.ts";

interface Broker {
  url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const log = pino({ level: "silent" });
const brokers: readonly { name: string; peer: string; start(): Promise<Broker>; open(url: string): Promise<EventBus> }[] = [
  { name: "NATS", peer: "nats-server", start: () => startNats(), open: (url) => openNatsBus({ url, log, clock: systemClock }) },
  { name: "Kafka", peer: "kafka", start: () => startKafka(), open: (url) => openKafkaBus({ url, log, clock: systemClock }) },
];

for (const { name, peer, start, open } of brokers) {
  describeWith([peer], `EVENTS_URL with ${name}`, () => {
    it("given a broker that goes away and comes back, then every event goes out, in the order of its stream, and /readyz says how it is", { timeout: 180_000 }, async () => {
      const broker = await start();
      const folder = await dataFolder("events-url");
      const platform = await startPlatform(folder.path, { EVENTS_URL: broker.url });
      const client = await claim(platform.address, "admin", platform.oneTimePassword ?? "", "a password for this test");
      const bus = await open(broker.url);
      const heard: CloudEvent[] = [];
      await bus.consume({ topic: "audit.events", group: "test", from: "start", handle: async ({ event }) => void heard.push(event) });
      const readiness = async (): Promise<{ checks: Record<string, string> }> => (await fetch(`${platform.address}/readyz`)).json() as Promise<{ checks: Record<string, string> }>;
      const sites = (): string[] => [...new Set(heard.filter(({ type }) => type === "inventory.site-created").map(({ id }) => id))];

      await client.call("POST", "/api/v1/sites", { name: "before" });
      await until(() => sites().length === 1);
      expect(heard.find(({ type }) => type === "inventory.site-created")).toMatchObject({ specversion: "1.0", source: "urn:qinfra:inventory", door: "http", ai: false });
      await until(async () => (await readiness()).checks["bus"] === "ok");

      await broker.kill();
      for (const word of ["one", "two", "three"]) await client.call("POST", "/api/v1/sites", { name: word });
      await until(async () => (await readiness()).checks["bus"] !== "ok");
      await broker.start();
      await until(() => sites().length === 4);
      await until(async () => (await readiness()).checks["bus"] === "ok");

      await bus.close();
      await client.close();
      await platform.stop();
      await broker.stop();
      await folder.remove();
    });
  });
}
