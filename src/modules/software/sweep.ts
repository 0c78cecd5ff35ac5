import type { Clock } from "../../platform/clock.ts";
import type { Db } from "../../platform/database/database.ts";
import { deleteUnusedPackages, deleteUnusedSets, lockInterning } from "./store.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** Deletes the sets that nobody has referred to for a day, and the packages that are in no set any more. */
export async function sweepSoftware(db: Db, clock: Clock, used: ReadonlyArray<{ orgId: string; id: string }>): Promise<{ sets: number; packages: number }> {
  await lockInterning(db);
  const sets = await deleteUnusedSets(db, new Date(clock.now() - dayMs).toISOString(), used);
  return { sets, packages: sets === 0 ? 0 : await deleteUnusedPackages(db) };
}
