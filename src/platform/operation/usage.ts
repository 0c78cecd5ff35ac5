import type { Db } from "../database/database.ts";
import { sql } from "../database/sql.ts";
import type { QuotaResource } from "./quotas.ts";

/** What is counted by UTC day; of the rest counts what is there. */
const daily: ReadonlySet<QuotaResource> = new Set(["scans"]);

/** The period that a count belongs to: `2026-11-21` for what is counted by day, otherwise empty. `now` in milliseconds since 1970. */
export function periodOf(resource: QuotaResource, now: number): string {
  return daily.has(resource) ? new Date(now).toISOString().slice(0, 10) : "";
}

export interface Use {
  orgId: string;
  resource: QuotaResource;
  period: string;
  amount: number;
}

/**
 * Counts the use and answers what is used with it. The row stays locked until the transaction ends: two at once come one
 * after the other, and the second sees the first.
 */
export async function countUse(db: Db, { orgId, resource, period, amount }: Use): Promise<number> {
  const row = await db.one<{ used: number }>(sql`
    insert into platform.usage as u (org_id, resource, period, used) values (${orgId}, ${resource}, ${period}, ${amount})
    on conflict (org_id, resource, period) do update set used = u.used + excluded.used returning u.used`);
  return row.used;
}

export async function returnUse(db: Db, { orgId, resource, period, amount }: Use): Promise<void> {
  await db.run(sql`
    update platform.usage set used = greatest(0, used - ${amount}) where org_id = ${orgId} and resource = ${resource} and period = ${period}`);
}

/** What the organization uses of each resource; absent where it never used any. */
export async function usesOf(db: Db, orgId: string, periods: Readonly<Record<QuotaResource, string>>): Promise<Partial<Record<QuotaResource, number>>> {
  const rows = await db.many<{ resource: QuotaResource; used: number }>(sql`
    select u.resource, u.used from platform.usage u
    join unnest(${Object.keys(periods)}::text[], ${Object.values(periods)}::text[]) as p(resource, period) on p.resource = u.resource and p.period = u.period
    where u.org_id = ${orgId}`);
  return Object.fromEntries(rows.map((row) => [row.resource, row.used]));
}

/** Counts of days that are over are of no use to anybody after a while. */
export async function deleteOldUses(db: Db, beforeDay: string): Promise<number> {
  return db.run(sql`delete from platform.usage where period <> '' and period < ${beforeDay}`);
}
