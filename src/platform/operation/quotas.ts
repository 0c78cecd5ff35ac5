import { errorType } from "../errors.ts";

/** What quotas are on: `assets` and `images` by number, `scans` by number a UTC day, `storage` in bytes. */
export const quotaResources = ["assets", "images", "scans", "storage"] as const;
export type QuotaResource = (typeof quotaResources)[number];

/** How much of a resource there is and may be. */
export interface Quota {
  resource: QuotaResource;
  used: number;
  /** Absent: no limit. */
  limit?: number;
  /** `own`: set for this organization; `default`: the platform's. */
  from: "own" | "default";
}

/** Counts in the transaction of the caller, so that a rolled back change has used nothing and two at once stay within it. */
export interface Quotas {
  /** Errors: QuotaExceeded. */
  take(resource: QuotaResource, amount: number): Promise<void>;
  give(resource: QuotaResource, amount: number): Promise<void>;
  /** All quotas, in the order of `quotaResources`; of another organization only through the system's door. */
  list(orgId?: string): Promise<Quota[]>;
}

export const QuotaExceeded = errorType("quota-exceeded", 403, "The organization has used up a quota");
