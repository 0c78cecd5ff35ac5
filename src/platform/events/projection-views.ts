import { sql } from "../database/sql.ts";
import type { Db } from "../database/database.ts";
import type { BuildReason } from "./projection-store.ts";

/** A projection as it is read, and the build that is made beside it. */
export interface ProjectionState {
  name: string;
  version: number;
  build: number;
  reason: BuildReason;
  position: number;
  /** Of the log. */
  head: number;
  applied: number;
  /** Age of the oldest event that was not looked at yet; 0 where there is none. */
  lagSeconds: number;
  active_at: Date;
  matches: boolean | null;
  problem: string | null;
  next_build: number | null;
  next_reason: BuildReason | null;
  next_position: number | null;
  next_started_at: Date | null;
  next_problem: string | null;
  /** Rows of builds that are not read any more are being removed. */
  removing: boolean;
}

/** All, or the one of that name. `at`: now, RFC 3339. Only through the system's door. */
export async function projectionStates(db: Db, at: string, name: string | null = null): Promise<ProjectionState[]> {
  return db.many<ProjectionState>(sql`
    select a.name, a.version, a.build, a.reason, a.position, h.position as head, a.applied, a.active_at, a.matches, a.problem,
      coalesce((
        select greatest(0, extract(epoch from ${at}::timestamptz - l.time))::float8 from events.log l where l.position > a.position order by l.position limit 1
      ), 0) as "lagSeconds",
      b.build as next_build, b.reason as next_reason, b.position as next_position, b.started_at as next_started_at, b.problem as next_problem,
      exists (select from events.projections r where r.name = a.name and r.state = 'removing') as removing
    from events.head h cross join events.projections a
    left join events.projections b on b.name = a.name and b.state = 'building'
    where a.state = 'active' and (${name}::text is null or a.name = ${name}) order by a.name`);
}

/** Whether all of the organization's sealed events were looked at; asked in a transaction of the organization. */
export async function isComplete(db: Db, orgId: string, names: readonly string[]): Promise<boolean> {
  return (await db.one<{ complete: boolean }>(sql`
    select count(*) = ${names.length} and not exists (
      select from events.log l where l.org_id = ${orgId} and l.position > min(p.position)
    ) as complete
    from events.projections p where p.state = 'active' and p.name = any(${names})`)).complete;
}
