import type { Logger } from "pino";
import type { Clock } from "../platform/clock.ts";
import type { Config } from "../platform/config.ts";
import type { EventBus } from "../platform/events/bus/types.ts";
import type { Timer } from "../platform/events/index.ts";
import type { EngineTls } from "../platform/tls/index.ts";

export interface OutwardPorts {
  log: Logger;
  clock: Clock;
  timer: Timer;
  random(): number;
  engines?: EngineTls;
}

/**
 * The broker of EVENTS_URL; undefined for `postgres`, where the log itself is the bus. Connected when it is first used, and
 * again when that failed, so that a server starts while the broker is away.
 */
export function outwardBus(config: Pick<Config, "eventsUrl">, { engines, ...ports }: OutwardPorts): EventBus | undefined {
  const url = config.eventsUrl;
  if (url === "postgres") return undefined;
  const name = url.slice(0, url.indexOf(":"));
  let opening: Promise<EventBus> | undefined;

  function opened(): Promise<EventBus> {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  }

  // Loaded only where it is asked for.
  async function open(): Promise<EventBus> {
    if (name === "kafka") return (await import("../platform/events/bus/kafka/index.ts")).openKafkaBus({ ...ports, url, ...(engines === undefined ? {} : { tls: engines }) });
    const { ca, cert, key } = engines ?? {};
    const text = (value: unknown): string | undefined => (value === undefined || value === null ? undefined : String(value));
    const tls = { ...given("ca", text(ca)), ...given("cert", text(cert)), ...given("key", text(key)) };
    return (await import("../platform/events/bus/nats/index.ts")).openNatsBus({ ...ports, url, ...(engines === undefined ? {} : { tls }) });
  }

  return {
    name,
    publish: async (messages) => (await opened()).publish(messages),
    consume: async (options) => (await opened()).consume(options),
    deadLetters: async (topic, group, limit) => (await opened()).deadLetters(topic, group, limit),
    redrive: async (topic, group, id) => (await opened()).redrive(topic, group, id),
    lag: async (topic, group) => (await opened()).lag(topic, group),
    health: () => opened().then((bus) => bus.health(), (error: unknown) => (error as Error).message),
    async close() {
      await opening?.then((bus) => bus.close(), () => undefined);
    },
  };
}

function given<K extends string>(name: K, value: string | undefined): { [P in K]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [P in K]?: string });
}
