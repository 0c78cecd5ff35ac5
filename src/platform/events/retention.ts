import { sql } from "../database/sql.ts";
import type { Database } from "../database/database.ts";

/** Forgets events that were parked before that time and never driven again. They stay in the log. */
export function removeDeadLetters(database: Database, before: Date): Promise<number> {
  return database.system((db) => db.run(sql`delete from events.dead_letters where at < ${before.toISOString()}`));
}
