import { temporalWorkflow } from "../platform/workflow/engines/temporal/sandbox.ts";
import { workflows } from "./workflows.ts";

/** Temporal knows a workflow function by the name of its export. */
export const qinfra = temporalWorkflow(workflows);
