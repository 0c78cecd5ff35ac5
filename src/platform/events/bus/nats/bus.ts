import type { Logger } from "pino";
import { systemTimer, type Timer } from "../../timer.ts";
import { DeclaredError, fail } from "../../../errors.ts";
import type { Clock } from "../../../clock.ts";
import { BusUnavailable, type EventBus } from "../types.ts";
import { answerMs, connectNats, unavailable, within, type NatsTls } from "./connection.ts";
import { listDeadLetters, redrive } from "./dead-letters.ts";
import { ensureGroup, lagOf } from "./group.ts";
import { startMember, type Member } from "./member.ts";
import { publish } from "./publish.ts";
import { ensureStreams } from "./streams.ts";

export interface NatsBusOptions {
  /** `nats://[user:password@]host:port[,host:port]`. */
  url: string;
  tls?: NatsTls;
  log: Logger;
  clock: Clock;
  timer?: Timer;
  /** 0 to 1, for the jitter of waits. */
  random?(): number;
}

/** How long a call waits for a connection that is being made again. */
const graceMs = 1_000;

/**
 * The event bus on NATS JetStream (server 2.14 or later): stream `QINFRA` with subjects `qinfra.<topic>.<shard>`,
 * messages as CloudEvents 1.0 in structured mode, durable consumers as groups, dead letters in `QINFRA_DEAD`.
 * An event published again within ten minutes is one message. What an acknowledged message survives is the server's to
 * say: a killed process always, a power cut with `sync_interval: always` or three replicas.
 * Errors: BusUnavailable.
 */
export async function openNatsBus(options: NatsBusOptions): Promise<EventBus> {
  const { log, clock, timer = systemTimer, random = () => 0.5 } = options;
  const connection = await connectNats(options);
  const { nats, manager, where } = connection;
  const open = new Set<Member>();
  let closed: Promise<void> | undefined;

  async function asked<T>(work: () => Promise<T>): Promise<T> {
    if (closed !== undefined) fail(BusUnavailable, "The event bus is closed.");
    try {
      // What is sent without a connection would go out later, when the caller has long heard that it did not.
      await within(graceMs, "a new connection", connection.whole());
      return await work();
    } catch (error) {
      return unavailable(where, error);
    }
  }

  async function shut(): Promise<void> {
    await Promise.all([...open].map((member) => member.abort()));
    if (connection.isWhole()) await within(answerMs, "draining", nats.drain()).catch(() => undefined);
    await nats.close();
  }

  try {
    await ensureStreams(manager);
  } catch (error) {
    await nats.close();
    unavailable(where, error);
  }
  return {
    name: "nats",
    publish: (messages) => asked(() => publish(connection, messages)),
    consume: (wanted) =>
      asked(async () => {
        const group = await ensureGroup(connection, wanted);
        const member = startMember({ connection, log, clock, timer, random }, group, wanted);
        open.add(member);
        return {
          async stop() {
            await member.stop();
            open.delete(member);
          },
        };
      }),
    deadLetters: (topic, group, limit) => asked(() => listDeadLetters(connection, topic, group, limit)),
    redrive: (topic, group, id) => asked(() => redrive(connection, topic, group, id)),
    lag: (topic, group) => asked(() => lagOf(connection, topic, group)),
    async health() {
      try {
        return await asked(async () => {
          await within(answerMs, "a ping", manager.getAccountInfo());
          return "ok";
        });
      } catch (error) {
        return error instanceof DeclaredError ? error.message : `NATS at ${where} does not answer`;
      }
    },
    close: () => (closed ??= shut()),
  };
}
