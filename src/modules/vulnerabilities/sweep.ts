import type { Clock } from "../../platform/clock.ts";
import { sweepVersions, type Transaction } from "./feed-store.ts";
import { sweepMatches } from "./match-store.ts";

const hourMs = 60 * 60 * 1000;

/** What a crash left behind, what no scan reads any more, and the results of sets that are gone. */
export async function sweepVulnerabilities(transaction: Transaction, clock: Clock): Promise<{ versions: number; matches: number }> {
  // A scan keeps the version that it began with, and lasts seconds.
  const versions = await sweepVersions(transaction, new Date(clock.now() - hourMs).toISOString());
  return { versions, matches: await transaction(sweepMatches) };
}
