export { operation, paging, Page, EventOutcome } from "./operation.ts";
export type { Context, PrepareContext, Operation, Progress, Door, CliSpec } from "./operation.ts";
export type { Module, Registry } from "./registry.ts";
