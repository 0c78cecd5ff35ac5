export { operation, paging, Page, EventOutcome } from "./operation.ts";
export type { Context, PrepareContext, Operation, Progress, Door, CliSpec } from "./operation.ts";
export { approversOf, whyNotApprovable } from "./approvable.ts";
export { ApprovalId, ApprovalPending, ApproverRules } from "./approval-gate.ts";
export { anyKey, fromCursor, numberKey, pageOf, uuidKey } from "./cursor.ts";
export { QuotaExceeded } from "./quotas.ts";
export { parseTag, TagFilter, TagsInput, TagsOutput } from "./tags.ts";
export type { Module, Registry, SubscriptionServices } from "./registry.ts";
