import { timestamp, type Clock } from "../../../platform/clock.ts";
import type { Database } from "../../../platform/database/database.ts";
import { deviceGraceMs } from "./adapter.ts";
import { sweepProviderKeys } from "./key-store.ts";
import { sweepPayloads } from "./payload-store.ts";

/** Deletes what the provider kept and is over; the number of rows of each kind. */
export async function sweepProvider(database: Pick<Database, "system">, clock: Clock): Promise<{ signInRows: number; signInKeys: number }> {
  const over = new Date(clock.now() - deviceGraceMs).toISOString();
  return database.system(async (db) => ({ signInRows: await sweepPayloads(db, over), signInKeys: await sweepProviderKeys(db, timestamp(clock)) }));
}
