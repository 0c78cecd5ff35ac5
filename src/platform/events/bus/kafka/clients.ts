import type { ConnectionOptions } from "node:tls";
import type { BaseOptions } from "@platformatic/kafka";
import type { Logger } from "pino";
import type { Clock } from "../../../clock.ts";
import { DeclaredError } from "../../../errors.ts";
import type { Timer } from "../../timer.ts";
import { BusUnavailable } from "../types.ts";
import { kafkaBrokers } from "./url.ts";

export interface KafkaOptions {
  /** `kafka://host:port[,host:port]`: brokers that are asked for the others. */
  url: string;
  /** The private network's authority and this server's certificate; without it connections are not encrypted. */
  tls?: ConnectionOptions;
  log: Logger;
  clock: Clock;
  timer?: Timer;
  /** 0 to 1, for the jitter of waits. */
  random?(): number;
}

/** Longest wait for one call, all its attempts together (ms). */
const callMs = 30_000;

/** What all clients of a bus have in common. Every request is tried six times in about three seconds. */
export function clientOptions({ url, tls }: Pick<KafkaOptions, "url" | "tls">): BaseOptions {
  return {
    clientId: "qinfra", bootstrapBrokers: kafkaBrokers(url),
    connectTimeout: 3_000, requestTimeout: 15_000, timeout: 10_000, retries: 5, retryDelay: 500, autocreateTopics: false,
    ...(tls === undefined ? {} : { tls }),
  };
}

/** Waits for what Kafka is asked. Errors: BusUnavailable, and declared errors as they come. */
export async function answerOf<T>(what: string, call: Promise<T>, ms = callMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer after ${ms / 1_000} s`)), ms);
  });
  try {
    return await Promise.race([call, late]);
  } catch (error) {
    if (error instanceof DeclaredError) throw error;
    throw new DeclaredError(BusUnavailable, `Kafka did not ${what}: ${causeOf(error)}. Try again when the brokers answer.`, undefined, error);
  } finally {
    clearTimeout(timer);
    call.catch(() => undefined);
  }
}

/** The last and innermost of what the client has collected over its attempts. */
export function causeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return causeOf(error.errors.at(-1));
  if (!(error instanceof Error)) return String(error);
  return (error.message !== "" ? error.message : error.name).replace(/\.$/, "");
}

/** Whether Kafka gave this error anywhere in what the client has collected: `UNKNOWN_TOPIC_OR_PARTITION`. */
export function saysKafka(error: unknown, id: string): boolean {
  if (error instanceof AggregateError && error.errors.some((inner) => saysKafka(inner, id))) return true;
  return error instanceof Error && (("apiId" in error && error.apiId === id) || (error.cause !== undefined && saysKafka(error.cause, id)));
}

/** Waits, but no longer than that. */
export async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise.catch(() => undefined), late]);
  clearTimeout(timer);
}
