import { Type } from "typebox";
import { eventType } from "../events/declare.ts";
import { TypeId } from "../ids.ts";
import { overlaps } from "./schedule-store.ts";

const permission = "workflows:read";
const Name = Type.String({ pattern: "^[a-z][a-z0-9-]*(\\.[a-z][a-z0-9-]*)+$", maxLength: 200, description: "Id of the workflow" });

export const WorkflowStarted = eventType({
  type: "workflows.started", summary: "A run of a workflow was started", permission,
  data: { workflow: Name, parent: Type.Optional(TypeId("run", "Run that started it")) },
});
export const WorkflowSignalled = eventType({
  type: "workflows.signalled", summary: "A run was told something", permission,
  data: { workflow: Name, signal: Type.String({ pattern: "^[A-Za-z][A-Za-z0-9.-]*$", maxLength: 100, description: "Name of the signal" }) },
});
export const WorkflowCancelled = eventType({ type: "workflows.cancelled", summary: "A run is to end", permission, data: { workflow: Name } });
export const WorkflowRetried = eventType({ type: "workflows.retried", summary: "A run that had ended goes on", permission, data: { workflow: Name } });
export const WorkflowEnded = eventType({
  type: "workflows.ended", summary: "A run ended", permission,
  data: {
    workflow: Name,
    state: Type.Enum(["succeeded", "failed", "cancelled"], { description: "How" }),
    failure: Type.Optional(Type.String({ pattern: "^[a-z][a-z0-9-]*$", maxLength: 100, description: "Code of what failed" })),
  },
});

const schedule = {
  workflow: Name,
  overlap: Type.Enum([...overlaps], { description: "What becomes of a time that comes while the run before goes on" }),
  paused: Type.Boolean({ description: "It starts nothing" }),
};
export const WorkflowScheduled = eventType({ type: "workflows.scheduled", summary: "A schedule was made", permission, data: schedule });
export const WorkflowRescheduled = eventType({ type: "workflows.rescheduled", summary: "A schedule was changed", permission, data: schedule });
export const WorkflowUnscheduled = eventType({ type: "workflows.unscheduled", summary: "A schedule was deleted", permission, data: { workflow: Name } });
