import type { Db } from "../database/database.ts";
import type { StoredEvent } from "./types.ts";

/** A fold of the log, in the order of positions, into tables of its module. */
export interface Projection {
  /** `<module>.<what it shows>`, stable: its builds are kept under this name. */
  id: `${string}.${string}`;
  /** Raised when other rows follow from the same events: it is then built anew while the old build is read. */
  version: number;
  /** Types of events. */
  on: readonly string[];
  /** Tables of its own, `<schema>.<table>`, each with `org_id` and `build`. Readers join `events.projections` and take the active build. */
  tables: readonly string[];
  /**
   * Writes what follows from the events into rows of that build, in the transaction of the checkpoint, so that each event
   * counts once. The events are of any organization, and the door binds to none: each row is written with its event's.
   * What comes out depends on the events alone: not on the clock, nor on other tables, nor on where pages end.
   */
  apply(db: Db, build: number, events: readonly StoredEvent[]): Promise<void>;
}

export function projection(spec: Projection): Projection {
  return spec;
}
