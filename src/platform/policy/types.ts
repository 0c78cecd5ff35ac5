import type { Actor } from "../actor.ts";

export type PolicyDoor = "http" | "mcp" | "cli" | "browser";

export interface PolicyActor {
  kind: Exclude<Actor["kind"], "service">;
  /** The key's id for an API key, the user's otherwise; absent for anonymous callers. */
  id?: string;
  /** The person for whom an API key acts. */
  actsFor?: string;
  ai: boolean;
  /** The session began with a second factor, or was confirmed by one since. */
  secondFactor: boolean;
  roles: readonly string[];
  permissions: readonly string[];
  orgId?: string;
  platform: boolean;
}

/** What the policy on the request judges. policies/README.md describes each member. */
export interface RequestInput {
  operation: { id: string; effect: "pure" | "read" | "change" | "destructive"; permission: string; approvers?: readonly { role: string; count: number }[] };
  actor: PolicyActor;
  /** The organization that the caller works in, with the settings that policies may read. */
  org: { id: string; settings: Readonly<Record<string, unknown>> } | null;
  /** The operation's input as validated; policies see its short scalar members only (`whatItNames`). */
  input: Readonly<Record<string, unknown>>;
  /** RFC 3339. The only time that a policy knows. */
  time: string;
  door: PolicyDoor;
}

/** What the policy on the plan judges: the request, and what it would do. */
export interface PlanInput extends RequestInput {
  /** Policies see its short scalar members only, too. */
  plan: unknown;
}

/** `reasons` are stable kebab-case codes, sorted; empty when allowed. */
export interface RequestDecision {
  allow: boolean;
  reasons: readonly string[];
}

export interface PlanDecision {
  decision: "allow" | "deny" | "approve";
  reasons: readonly string[];
  /** With `approve`: how many members of which role must approve. */
  approvers: readonly { role: string; count: number }[];
  /** With `approve`: ids of the actors that may not be among them, whatever their role. */
  excluded: readonly string[];
}

/** Both decisions are synchronous, have no side effect and never throw: what cannot be evaluated is denied. */
export interface PolicyEngine {
  decideRequest(input: RequestInput): RequestDecision;
  decidePlan(input: PlanInput): PlanDecision;
}

/** What an organization adds to the platform's own policies: it can only be stricter. Never throws; what cannot be asked is denied. */
export interface OrganizationPolicies {
  request(input: RequestInput): Promise<RequestDecision>;
  plan(input: PlanInput): Promise<PlanDecision>;
}
