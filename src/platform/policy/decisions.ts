import type { PlanDecision, RequestDecision } from "./types.ts";

export function isRequestDecision(value: unknown): value is RequestDecision {
  if (typeof value !== "object" || value === null) return false;
  const { allow, reasons } = value as Record<string, unknown>;
  return typeof allow === "boolean" && Array.isArray(reasons);
}

/** An approval that nobody has to give is none, so `approve` without approvers does not count as a decision. */
export function isPlanDecision(value: unknown): value is PlanDecision {
  if (typeof value !== "object" || value === null) return false;
  const { decision, reasons, approvers, excluded } = value as Record<string, unknown>;
  if (!Array.isArray(reasons) || !Array.isArray(approvers) || !Array.isArray(excluded)) return false;
  return decision === "allow" || decision === "deny" || (decision === "approve" && approvers.length > 0);
}
