import { errorType } from "../../platform/errors.ts";

export const WorkflowNotAllowed = errorType("workflow-not-allowed", 403, "Your role does not allow this workflow");
