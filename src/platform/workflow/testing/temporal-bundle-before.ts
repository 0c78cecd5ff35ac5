import { temporalWorkflow } from "../engines/temporal/sandbox.ts";
import { workflowsBefore } from "./workflows.ts";

/** Temporal knows a workflow function by the name of its export. */
export const qinfra = temporalWorkflow(workflowsBefore);
