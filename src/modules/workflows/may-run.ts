import { grants } from "../../platform/actor.ts";
import { fail } from "../../platform/errors.ts";
import type { Context } from "../../platform/operation/index.ts";
import { WorkflowNotAllowed } from "./errors.ts";
import { WorkflowUnknown, type Workflow } from "../../platform/workflow/index.ts";

/** The workflow; the permission to act on workflows is not yet that to do what this one does. */
export function mayRun({ actor, workflows }: Pick<Context, "actor" | "workflows">, id: string): Workflow {
  const workflow = workflows.known(id);
  if (workflow === undefined) fail(WorkflowUnknown, `There is no workflow ${id}; docs/reference/workflows.md lists what there is.`);
  if (!grants(actor.permissions, workflow.permission)) fail(WorkflowNotAllowed, `${id} needs the permission ${workflow.permission}, which you do not have here.`, { permission: workflow.permission });
  return workflow;
}
