import type { Clock } from "../../platform/clock.ts";
import type { DefaultQuotas } from "../../platform/config.ts";
import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import { fail } from "../../platform/errors.ts";
import { QuotaExceeded, type QuotaResource, type Quotas } from "../../platform/operation/quotas.ts";

/** What is counted by UTC day; of the rest counts what is there. */
const daily: ReadonlySet<QuotaResource> = new Set(["scans"]);

const words: Record<QuotaResource, (most: number) => string> = {
  assets: (most) => `${most} assets`,
  images: (most) => `${most} golden images`,
  scans: (most) => `${most} scans a day`,
  storage: (most) => `${most} bytes of storage`,
};

/** The quotas of one organization, counted in the transaction of `db`. A default that is absent is no limit. */
export function quotasOf(db: Db, orgId: string, { defaults, clock }: { defaults: DefaultQuotas; clock: Clock }): Quotas {
  return {
    async take(resource, amount) {
      const { used, own, most } = await db.one<{ used: number; own: boolean; most: number | null }>(sql`
        with counted as (
          insert into platform.usage as u (org_id, resource, period, used) values (${orgId}, ${resource}, ${periodOf(resource, clock)}, ${amount})
          on conflict (org_id, resource, period) do update set used = u.used + excluded.used
          returning u.used
        )
        select c.used, q.org_id is not null as own, q.most from counted c
        left join organizations.quotas q on q.org_id = ${orgId} and q.resource = ${resource}`);
      const limit = own ? most : (defaults[resource] ?? null);
      if (limit === null || used <= limit) return;
      fail(QuotaExceeded, `The organization may have ${words[resource](limit)}, and this would be ${used}. Remove what is not needed, or ask an administrator of the platform for more.`, {
        resource, limit, used: used - amount, wanted: amount,
      });
    },
    async give(resource, amount) {
      await db.run(sql`
        update platform.usage set used = greatest(0, used - ${amount}) where org_id = ${orgId} and resource = ${resource} and period = ${periodOf(resource, clock)}`);
    },
  };
}

function periodOf(resource: QuotaResource, clock: Clock): string {
  return daily.has(resource) ? new Date(clock.now()).toISOString().slice(0, 10) : "";
}
