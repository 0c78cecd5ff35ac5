import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { QuotaResource } from "../../platform/operation/quotas.ts";

/** What was set for this organization itself; `most` null is no limit. */
export interface OwnQuota {
  resource: QuotaResource;
  most: number | null;
}

export async function ownQuotaOf(db: Db, orgId: string, resource: QuotaResource): Promise<OwnQuota | undefined> {
  return db.maybe<OwnQuota>(sql`select resource, most from organizations.quotas where org_id = ${orgId} and resource = ${resource}`);
}

export async function ownQuotasOf(db: Db, orgId: string): Promise<OwnQuota[]> {
  return db.many<OwnQuota>(sql`select resource, most from organizations.quotas where org_id = ${orgId}`);
}
