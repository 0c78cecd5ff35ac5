import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";

/** What a metric changed by before the first day, and on each day up to the last on which it changed. Days in UTC, YYYY-MM-DD. */
export async function changesBetween(db: Db, orgId: string, { metric, from, to }: { metric: string; from: string; to: string }): Promise<{ before: number; days: Map<string, number> }> {
  const rows = await db.many<{ day: string | null; value: number }>(sql`
    select null as day, coalesce(sum(value), 0)::bigint as value from analytics.api_series where org_id = ${orgId} and metric = ${metric} and day < ${from}::date
    union all
    select to_char(day, 'YYYY-MM-DD'), value from analytics.api_series where org_id = ${orgId} and metric = ${metric} and day >= ${from}::date and day <= ${to}::date`);
  return {
    before: rows.find(({ day }) => day === null)?.value ?? 0,
    days: new Map(rows.flatMap(({ day, value }) => (day === null ? [] : [[day, value] as const]))),
  };
}
