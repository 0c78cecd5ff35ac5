import { sql } from "../database/sql.ts";
import type { Database } from "../database/database.ts";
import type { Checkpoint } from "./chain.ts";
import { storedCheckpoints, type Checkpointer } from "./checkpoints.ts";

/** How a chain stands at its end. */
export interface Closing {
  /** The newest signed checkpoint; absent where nothing was ever signed. */
  checkpoint?: Checkpoint;
  /** Events in the chain. More than the checkpoint's `seq` only where the chain does not continue what was signed. */
  seq: number;
  /** Committed events that are not in the chain yet. */
  unsealed: number;
}

/** Signs what is new and answers the organization's last checkpoint, for the time when the chain itself is gone. */
export async function closeChain({ database, checkpointer }: { database: Database; checkpointer: Checkpointer }, orgId: string): Promise<Closing> {
  // It signs for all organizations, and what fails for another one is its own matter: it is tried again each second.
  await checkpointer.run().catch(() => undefined);
  const { seq, unsealed } = await database.system((db) => db.one<{ seq: number; unsealed: number }>(sql`
    select coalesce((select seq from events.chains where org_id = ${orgId}), 0) as seq,
      (select count(*) from events.log where org_id = ${orgId} and position is null) as unsealed`));
  const checkpoint = (await storedCheckpoints(database, orgId)).at(-1);
  return { seq, unsealed, ...(checkpoint === undefined ? {} : { checkpoint }) };
}
