import { timestamp, type Clock } from "../../../platform/clock.ts";
import type { Database } from "../../../platform/database/database.ts";
import { sweepSingleUses } from "../single-use-store.ts";
import { deviceGraceMs } from "./adapter.ts";
import { sweepProviderKeys } from "./key-store.ts";
import { sweepPayloads } from "./payload-store.ts";

/** Deletes what signing in kept and is over; the number of rows of each kind. */
export async function sweepProvider(database: Pick<Database, "system">, clock: Clock): Promise<{ signInRows: number; signInKeys: number; singleUses: number }> {
  const over = new Date(clock.now() - deviceGraceMs).toISOString();
  return database.system(async (db) => ({ signInRows: await sweepPayloads(db, over), signInKeys: await sweepProviderKeys(db, timestamp(clock)), singleUses: await sweepSingleUses(db, timestamp(clock)) }));
}
