import type { Database, Db } from "../database/database.ts";
import { approvalForChange, runListens, setRun, unfollowed } from "./store.ts";
import { approvalTypeId, type ApprovalPorts } from "./ask.ts";

export interface RescuePorts {
  database: Pick<Database, "tenant">;
  /** Looks at the requests of all organizations. */
  everywhere<T>(work: (db: Db) => Promise<T>): Promise<T>;
  /** Workflows of the organization as the platform starts them, in that transaction. */
  workflowsFor(db: Db, orgId: string): ApprovalPorts["workflows"];
  follow: ApprovalPorts["follow"];
}

const mostAtOnce = 500;

/**
 * Has another run follow each open request whose own run was cancelled or broke, so that it is told of, lapses or runs.
 * Answers how many there were.
 */
export async function followAgain({ database, everywhere, workflowsFor, follow }: RescuePorts): Promise<number> {
  const lost = await everywhere((db) => unfollowed(db, mostAtOnce));
  let again = 0;
  for (const { org_id, id } of lost) {
    again += await database.tenant(org_id, async (db) => {
      const row = await approvalForChange(db, org_id, id);
      if (row === undefined || (row.state !== "pending" && row.state !== "approved") || (await runListens(db, org_id, row.run_id))) return 0;
      await setRun(db, org_id, id, await workflowsFor(db, org_id).start(follow, { approval: approvalTypeId(id) }));
      return 1;
    });
  }
  return again;
}
