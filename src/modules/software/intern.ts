import { timestamp, type Clock } from "../../platform/clock.ts";
import type { Db } from "../../platform/database/database.ts";
import type { Ids } from "../../platform/ids.ts";
import type { Component } from "./component.ts";
import { digestOf, keyed } from "./component-keys.ts";
import { insertSet, internPackages, touchSet } from "./store.ts";

export interface InternPorts {
  orgId: string;
  clock: Clock;
  ids: Ids;
  transaction<T>(work: (db: Db) => Promise<T>): Promise<T>;
}

/**
 * The id of the component set that holds exactly these components, made where it is new. Runs in a short transaction of
 * its own, before the caller's; it is idempotent, and a set that nobody refers to after a day is swept.
 */
export async function internComponents(ports: InternPorts, components: readonly Component[]): Promise<string> {
  const sorted = keyed(components);
  const digest = digestOf(sorted);
  const now = timestamp(ports.clock);
  return ports.transaction(async (db) => {
    const known = await touchSet(db, ports.orgId, digest, now);
    if (known !== undefined) return known;
    const packages = await internPackages(db, ports.orgId, sorted);
    return insertSet(db, { orgId: ports.orgId, id: ports.ids.uuid(), digest, packages, now });
  });
}
