import type { Clock } from "../../platform/clock.ts";
import type { DefaultQuotas } from "../../platform/config.ts";
import type { Db } from "../../platform/database/database.ts";
import { fail } from "../../platform/errors.ts";
import { QuotaExceeded, quotaResources, type QuotaResource, type Quotas } from "../../platform/operation/quotas.ts";
import { countUse, periodOf, returnUse, usesOf } from "../../platform/operation/usage.ts";
import { ownQuotaOf, ownQuotasOf, type OwnQuota } from "./quota-views.ts";

const words: Record<QuotaResource, { amount(count: number): string; next: string }> = {
  assets: { amount: (count) => `${count} ${count === 1 ? "asset" : "assets"}`, next: "Delete assets that are not needed" },
  images: { amount: (count) => `${count} golden ${count === 1 ? "image" : "images"}`, next: "Delete images that are not needed" },
  scans: { amount: (count) => `${count} ${count === 1 ? "scan" : "scans"} a day (UTC)`, next: "Wait until tomorrow" },
  storage: { amount: (count) => `${count} bytes of storage`, next: "Remove stored files that are not needed" },
};

/** The quotas of one organization, counted in the transaction of `db`. A default that is absent is no limit. */
export function quotasOf(db: Db, orgId: string, { defaults, clock }: { defaults: DefaultQuotas; clock: Clock }): Quotas {
  function limitOf(resource: QuotaResource, own: OwnQuota | undefined): number | null {
    return own === undefined ? (defaults[resource] ?? null) : own.most;
  }

  return {
    async take(resource, amount) {
      const [used, own] = await Promise.all([
        countUse(db, { orgId, resource, period: periodOf(resource, clock.now()), amount }),
        ownQuotaOf(db, orgId, resource),
      ]);
      const limit = limitOf(resource, own);
      if (limit === null || used <= limit) return;
      const { amount: inWords, next } = words[resource];
      fail(QuotaExceeded, `The organization may have ${inWords(limit)}; it has ${used - amount}, and this needs ${amount} more. ${next}, or ask an administrator of the platform for a larger quota.`, {
        resource, limit, used: used - amount, wanted: amount,
      });
    },
    async give(resource, amount) {
      await returnUse(db, { orgId, resource, period: periodOf(resource, clock.now()), amount });
    },
    async list(of = orgId) {
      const now = clock.now();
      const periods = Object.fromEntries(quotaResources.map((resource) => [resource, periodOf(resource, now)])) as Record<QuotaResource, string>;
      const uses = await usesOf(db, of, periods);
      const owns = await ownQuotasOf(db, of);
      return quotaResources.map((resource) => {
        const own = owns.find((one) => one.resource === resource);
        const limit = limitOf(resource, own);
        return { resource, used: uses[resource] ?? 0, ...(limit === null ? {} : { limit }), from: own === undefined ? "default" : "own" };
      });
    },
  };
}
