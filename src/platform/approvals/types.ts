import type { Actor } from "../actor.ts";

/** How many persons of which role. An administrator counts for any role. */
export interface ApproverRule {
  role: string;
  count: number;
}

/**
 * `approved`: enough people said yes, and it is about to run. `outdated`: when it was to run, the world had changed, or a
 * policy; `failed`: it ran, and was refused or broke.
 */
export const approvalStates = ["pending", "approved", "executed", "rejected", "withdrawn", "expired", "outdated", "failed"] as const;
export type ApprovalState = (typeof approvalStates)[number];

/** As whom an approved operation runs. Permissions are asked for again; `granted` bounds those of a credential that was given less than its person has. */
export interface Requester extends Pick<Actor, "kind" | "userId" | "keyId" | "grant" | "ai" | "secondFactor"> {
  /** A second factor had been given within the last minutes, where the operation wants one. */
  confirmed: boolean;
  granted: readonly string[];
}

/** A person who may decide by their role, or could until a moment ago. UUID; `until` in milliseconds since 1970, absent for who still can. */
export interface Eligible {
  userId: string;
  role: string;
  until?: number;
}

export interface Decision {
  userId: string;
  /** UUID of the person whose vote it is: their own, or whose it was delegated from. */
  countsFor: string;
  role: string;
  decision: "approve" | "reject";
  sole: boolean;
}

/** Somebody may decide for somebody else, in their role. */
export interface Delegated {
  from: string;
  role: string;
}

/** Times of an organization, in hours. */
export interface ApprovalTimes {
  expiresAfterHours: number;
  escalatesAfterHours: number;
}

export const usualTimes: ApprovalTimes = { expiresAfterHours: 72, escalatesAfterHours: 4 };
