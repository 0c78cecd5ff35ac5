export { checkPolicyDigests } from "./digests.ts";
export { loadPolicies } from "./engine.ts";
export { policyActor, whatItNames } from "./input.ts";
export { createOpaPolicies, noOrganizationPolicies, stricter } from "./opa.ts";
export type { OrganizationPolicies, PlanDecision, PlanInput, PolicyActor, PolicyDoor, PolicyEngine, RequestDecision, RequestInput } from "./types.ts";
