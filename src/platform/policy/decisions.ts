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
  return decision === "allow" || decision === "deny" || (decision === "approve" && approvers.length > 0 && approvers.length <= 20 && approvers.every(isRule));
}

function isRule(value: unknown): boolean {
  const { role, count } = (value ?? {}) as Record<string, unknown>;
  return typeof role === "string" && /^[a-z][a-z-]{0,49}$/.test(role) && Number.isInteger(count) && Number(count) >= 1 && Number(count) <= 100;
}

/** The reasons that are codes, as an event takes them; an organization's own policy may write anything. */
export function reasonCodes(reasons: readonly unknown[]): string[] {
  return reasons.filter((reason): reason is string => typeof reason === "string" && /^[a-z][a-z0-9-]{0,99}$/.test(reason)).slice(0, 50);
}
