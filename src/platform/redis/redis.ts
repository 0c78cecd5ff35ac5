import { createHash } from "node:crypto";
import type { ConnectionOptions } from "node:tls";
import { createClient } from "@redis/client";
import type { Logger } from "pino";
import type { Clock } from "../clock.ts";

/** A Lua script, sent whole once and then by its digest. */
export interface Script {
  text: string;
  digest: string;
}

export function script(text: string): Script {
  return { text, digest: createHash("sha1").update(text).digest("hex") };
}

/** What an adapter asks of Redis. Redis is never needed: whoever asks goes on without an answer. */
export interface Redis {
  /** Undefined where Redis is away or too slow. */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  ask(command: readonly string[]): Promise<unknown>;
  /** `ok`, or why Redis is gone without. */
  health(): Promise<string>;
  close(): Promise<void>;
}

export interface RedisOptions {
  url: string;
  log: Logger;
  clock: Clock;
  /** For rediss: the private network's authority and this server's certificate. */
  tls?: ConnectionOptions;
  /** Longest wait for an answer. A cache that takes longer is slower than what it saves. */
  answerMs?: number;
  /** After a failure, how long nothing is asked. */
  restMs?: number;
}

/** A connection that is made in the background, made again when it is lost, and given a rest when it is slow. */
export function openRedis({ url, log, clock, tls, answerMs = 100, restMs = 1_000 }: RedisOptions): Redis {
  const client = createClient({
    url, RESP: 2, name: "qinfra", disableOfflineQueue: true, commandsQueueMaxLength: 20_000, pingInterval: 10_000,
    socket: { connectTimeout: 2_000, reconnectStrategy: (retries) => Math.min(2_000, 50 * 2 ** Math.min(retries, 6)), ...(tls === undefined || !url.startsWith("rediss:") ? {} : { tls: true, ...tls }) },
  });
  let reported = false;
  let restUntil = 0;
  client.on("error", (error: Error) => {
    if (reported) return;
    reported = true;
    log.warn({ err: error }, "Redis is away; the platform goes on without it");
  });
  client.on("ready", () => {
    if (reported) log.info("Redis is back");
    reported = false;
    restUntil = 0;
  });
  client.connect().catch(() => undefined); // it goes on trying by itself, and says so above

  async function ask(command: readonly string[]): Promise<unknown> {
    if (!client.isReady || clock.now() < restUntil) return undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(resolve, answerMs, "late");
    });
    try {
      const answer = client.sendCommand([...command]);
      const first = await Promise.race([answer, late]);
      if (first !== "late") return first;
      answer.catch(() => undefined);
      restUntil = clock.now() + restMs;
      return undefined;
    } catch (error) {
      if (isNoScript(error)) throw error;
      restUntil = clock.now() + restMs;
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    ask: (command) => ask(command).catch(() => undefined),
    async run({ text, digest }, keys, args) {
      const rest = [String(keys.length), ...keys, ...args];
      try {
        return await ask(["EVALSHA", digest, ...rest]);
      } catch {
        return ask(["EVAL", text, ...rest]).catch(() => undefined);
      }
    },
    async health() {
      if (!client.isReady) return "cannot be reached; rate limits count on each server, and the cache is each server's own";
      return (await ask(["PING"]).catch(() => undefined)) === "PONG" ? "ok" : "too slow; rate limits count on each server, and the cache is each server's own";
    },
    async close() {
      client.destroy();
    },
  };
}

function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}
