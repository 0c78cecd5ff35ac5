import type { Db } from "../../platform/database/database.ts";
import type { Component } from "../software/index.ts";
import type { LookUp, MatchResult } from "./domain/match.ts";
import { lookUpTask, matchTask } from "./tasks.ts";
import { advisoriesFor, currentDatabase, loadedEcosystems, type DatabaseVersion } from "./feed-views.ts";

export interface MatchingPorts {
  /** A short read transaction. */
  transaction<T>(work: (db: Db) => Promise<T>): Promise<T>;
  compute<T>(task: string, data: unknown): Promise<T>;
}

/**
 * Matches components with the advisories that are current now. The versions are read once, so that a feed that is
 * published meanwhile changes nothing; only the advisories about these packages are fetched; a worker thread compares.
 */
export async function matchWithCurrent(ports: MatchingPorts, components: readonly Component[]): Promise<{ result: MatchResult; database: DatabaseVersion }> {
  const lookUps = await ports.compute<LookUp[]>(lookUpTask, components);
  const { database, advisories, ecosystems } = await ports.transaction(async (db) => {
    const database = await currentDatabase(db);
    return {
      database,
      advisories: await advisoriesFor(db, database.versionIds, lookUps),
      ecosystems: await loadedEcosystems(db, database.versionIds),
    };
  });
  const result = await ports.compute<MatchResult>(matchTask, { components, advisories, ecosystems });
  return { result, database };
}
