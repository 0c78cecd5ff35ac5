import { randomInt } from "node:crypto";
import type pg from "pg";

/** First key of the advisory locks by which servers show that they are alive. */
export const instanceLockClass = 7_126_032;

/**
 * Takes a lock that lasts as long as this connection, so that another server can tell what a dead one left behind.
 * The number is the second key of the lock.
 */
export async function holdInstanceLock(direct: pg.Client): Promise<number> {
  const instance = randomInt(1, 2 ** 31 - 1);
  const { rows } = await direct.query<{ held: boolean }>("select pg_try_advisory_lock($1, $2) as held", [instanceLockClass, instance]);
  return rows[0]?.held === true ? instance : holdInstanceLock(direct);
}
