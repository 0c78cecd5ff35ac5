import { randomInt } from "node:crypto";
import type pg from "pg";
import type { Logger } from "pino";
import type { Database } from "./database.ts";

/** First key of the advisory locks by which servers show that they are alive. */
export const instanceLockClass = 7_126_032;

export interface InstanceLock {
  /** Second key of the lock. */
  instance: number;
  close(): Promise<void>;
}

const reconnectMs = 1_000;

/**
 * Holds a lock on a connection of its own, so that another server can tell what a dead one left behind. When the
 * connection is lost the same lock is taken on a new one: what this server has staged is still its own.
 */
export async function keepInstanceLock(
  database: Pick<Database, "direct">, ports: { log: Logger; sleep(ms: number, signal: AbortSignal): Promise<void> },
): Promise<InstanceLock> {
  const closing = new AbortController();
  const first = await database.direct();
  const instance = await takeAny(first);
  let holder = first;
  watch(first);

  function watch(client: pg.Client): void {
    client.on("error", (error) => ports.log.warn({ err: error }, "direct database connection lost"));
    client.once("end", () => {
      if (!closing.signal.aborted) void takeAgain();
    });
  }

  async function takeAgain(): Promise<void> {
    while (!closing.signal.aborted) {
      const client = await database.direct().catch(() => undefined);
      // The server may not have noticed yet that the connection before is gone, and hold its lock for a while.
      if (client !== undefined && (await take(client, instance).catch(() => false)) && !closing.signal.aborted) {
        holder = client;
        return watch(client);
      }
      await client?.end().catch(() => undefined);
      await ports.sleep(reconnectMs, closing.signal);
    }
  }

  return {
    instance,
    async close() {
      closing.abort();
      await holder.end().catch(() => undefined);
    },
  };
}

async function takeAny(client: pg.Client): Promise<number> {
  const instance = randomInt(1, 2 ** 31 - 1);
  return (await take(client, instance)) ? instance : takeAny(client);
}

async function take(client: pg.Client, instance: number): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>("select pg_try_advisory_lock($1, $2) as held", [instanceLockClass, instance]);
  return rows[0]?.held === true;
}
