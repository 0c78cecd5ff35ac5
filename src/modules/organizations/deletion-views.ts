import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Checkpoint } from "./event-data.ts";

export type DeletionState = "waiting" | "restored" | "erasing" | "done";

/** What the end of an organization has come to, and what proves it. */
export interface DeletionProgress {
  /** Rows that were removed, by table. */
  rows?: Record<string, number>;
  blobs?: number;
  /** People who were members of nothing else and were erased. */
  people?: number;
  /** The last signed checkpoint of the organization's chain, as its event in the platform's chain holds it. */
  checkpoint?: Checkpoint;
  events?: number;
}

export interface DeletionRow {
  organization: string;
  slug: string;
  requested_by: string;
  requested_at: Date;
  due_at: Date;
  state: DeletionState;
  progress: DeletionProgress;
  finished_at: Date | null;
}

export async function deletionOf(db: Db, organization: string): Promise<DeletionRow | undefined> {
  return db.maybe<DeletionRow>(sql`
    select organization, slug, requested_by, requested_at, due_at, state, progress, finished_at
    from organizations.deletions where organization = ${organization}`);
}

/** By organization id, after `after`. */
export async function deletions(db: Db, page: { after: string; limit: number }): Promise<DeletionRow[]> {
  return db.many<DeletionRow>(sql`
    select organization, slug, requested_by, requested_at, due_at, state, progress, finished_at
    from organizations.deletions where organization > ${page.after} order by organization limit ${page.limit}`);
}

/** Organizations whose erasure has begun, or may now; and those that were finished after `since`, for what came late. */
export async function erasuresAt(db: Db, times: { now: string; since: string }): Promise<{ organization: string; state: DeletionState }[]> {
  return db.many(sql`
    select organization, state from organizations.deletions
    where (state = 'waiting' and due_at <= ${times.now}) or state = 'erasing' or (state = 'done' and finished_at > ${times.since})
    order by requested_at, organization`);
}

/** People who are members of this organization and of no other. */
export async function membersOfNothingElse(db: Db, orgId: string, limit: number): Promise<string[]> {
  const rows = await db.many<{ user_id: string }>(sql`
    select m.user_id from organizations.memberships m
    where m.org_id = ${orgId} and not exists (select from organizations.memberships o where o.user_id = m.user_id and o.org_id <> m.org_id)
    order by m.user_id limit ${limit}`);
  return rows.map((row) => row.user_id);
}
