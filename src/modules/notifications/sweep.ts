import type { Clock } from "../../platform/clock.ts";
import type { Db } from "../../platform/database/database.ts";
import { removeEnded } from "./delivery-store.ts";

/** Ended deliveries are kept so long. */
const keptMs = 30 * 86_400_000;
/** Of one transaction. */
const mostRemoved = 1_000;

/** Removes deliveries that ended long ago, with their events and attempts, whatever became of their channel. */
export async function sweepDeliveries(transaction: <T>(work: (db: Db) => Promise<T>) => Promise<T>, clock: Clock): Promise<{ deliveries: number }> {
  const before = new Date(clock.now() - keptMs).toISOString();
  let deliveries = 0;
  for (let removed = mostRemoved; removed === mostRemoved; deliveries += removed) removed = await transaction((db) => removeEnded(db, before, mostRemoved));
  return { deliveries };
}
