import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { QuotaResource } from "../../platform/operation/quotas.ts";

/** `most` null is no limit. */
export async function setQuota(db: Db, quota: { orgId: string; resource: QuotaResource; most: number | null }): Promise<void> {
  await db.run(sql`
    insert into organizations.quotas (org_id, resource, most) values (${quota.orgId}, ${quota.resource}, ${quota.most})
    on conflict (org_id, resource) do update set most = excluded.most`);
}

/** The platform's default counts again. */
export async function clearQuota(db: Db, orgId: string, resource: QuotaResource): Promise<void> {
  await db.run(sql`delete from organizations.quotas where org_id = ${orgId} and resource = ${resource}`);
}
