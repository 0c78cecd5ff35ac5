import type { Db } from "../database/database.ts";
import { sql } from "../database/sql.ts";

/** Why the newest event about `subject` was parked at the subscription; undefined where none is parked. */
export async function parkedReason(db: Db, subscription: string, subject: string): Promise<string | undefined> {
  const row = await db.maybe<{ reason: string }>(sql`
    select d.reason from events.dead_letters d join events.log l on l.id = d.event_id and l.org_id = d.org_id
    where d.subscription = ${subscription} and l.subject = ${subject} order by d.position desc limit 1`);
  return row?.reason;
}
