import { errorType } from "../errors.ts";

export const RunNotFound = errorType("workflow-run-not-found", 404, "There is no such run of a workflow");
export const RunEnded = errorType("workflow-run-ended", 409, "This run has ended");
export const RunNotEnded = errorType("workflow-run-not-ended", 409, "This run is not over, or has succeeded");
export const SignalUnknown = errorType("workflow-signal-unknown", 422, "This workflow knows no such signal");
export const WorkflowUnknown = errorType("workflow-unknown", 404, "There is no such workflow");
export const ScheduleNotFound = errorType("workflow-schedule-not-found", 404, "There is no such schedule");
export const ScheduleExists = errorType("workflow-schedule-exists", 409, "There is a schedule of that name");
export const ScheduleInvalid = errorType("workflow-schedule-invalid", 422, "The schedule cannot be understood");
