import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { operation, type Context } from "../../../platform/operation/index.ts";
import { runById, RunEnded, RunNotEnded, RunNotFound, SignalUnknown, WorkflowUnknown } from "../../../platform/workflow/index.ts";
import { WorkflowNotAllowed } from "../errors.ts";
import { mayRun } from "../may-run.ts";
import { Run, RunId } from "../schemas.ts";

const example = { id: "run_01jd0000000000000000000000" };
const byHand = "Needs the permission of the workflow as well.";

export const cancelWorkflow = operation({
  id: "workflows.cancel",
  http: "POST /api/v1/workflows/{id}/cancel",
  cli: { name: "workflows cancel", positional: ["id"] },
  summary: "Cancel a run of a workflow",
  description: `It undoes what can be undone, and then it is over. ${byHand}`,
  permission: "workflows:write",
  effect: "change",
  input: Type.Object({ id: RunId }),
  output: Run,
  errors: [RunNotFound, RunEnded, WorkflowUnknown, WorkflowNotAllowed],
  examples: [{ input: example }],
  handle: (context, { id }) => changed(context, id, (run) => context.workflows.cancel(run)),
});

export const retryWorkflow = operation({
  id: "workflows.retry",
  http: "POST /api/v1/workflows/{id}/retry",
  cli: { name: "workflows retry", positional: ["id"] },
  summary: "Have a failed or cancelled run go on",
  description: `Steps that are done stay done, and the one that failed is tried again; where they were undone the run begins anew. ${byHand}`,
  permission: "workflows:write",
  effect: "change",
  input: Type.Object({ id: RunId }),
  output: Run,
  errors: [RunNotFound, RunNotEnded, WorkflowUnknown, WorkflowNotAllowed],
  examples: [{ input: example }],
  handle: (context, { id }) => changed(context, id, (run) => context.workflows.retry(run)),
});

export const signalWorkflow = operation({
  id: "workflows.signal",
  http: "POST /api/v1/workflows/{id}/signal",
  cli: { name: "workflows signal", positional: ["id", "name"] },
  summary: "Tell a run of a workflow what it waits for",
  description: `Kept until the run asks for it. ${byHand}`,
  permission: "workflows:write",
  effect: "change",
  input: Type.Object({
    id: RunId,
    name: Type.String({ minLength: 1, maxLength: 100, description: "Name of the signal; the run's `waitsFor` lists them" }),
    body: Type.Record(Type.String({ maxLength: 100 }), Type.Unknown(), { description: "As the signal declares it", maxProperties: 100, default: {} }),
  }),
  output: Run,
  errors: [RunNotFound, RunEnded, SignalUnknown, WorkflowUnknown, WorkflowNotAllowed],
  examples: [{ input: { ...example, name: "go", body: {} } }],
  handle: (context, { id, name, body }) => changed(context, id, (run) => context.workflows.signal(run, { name }, body)),
});

export const startWorkflow = operation({
  id: "workflows.start",
  http: "POST /api/v1/workflows",
  cli: { name: "workflows start", positional: ["workflow"] },
  summary: "Start a run of a workflow",
  description: `It runs on whichever server takes it first. ${byHand}`,
  permission: "workflows:write",
  effect: "change",
  input: Type.Object({
    workflow: Type.String({ minLength: 1, maxLength: 100, description: "Id of the workflow" }),
    input: Type.Record(Type.String({ maxLength: 100 }), Type.Unknown(), { description: "As the workflow declares it", maxProperties: 100, default: {} }),
  }),
  output: Run,
  errors: [WorkflowUnknown, WorkflowNotAllowed],
  creates: true,
  examples: [{ input: { workflow: "vulnerabilities.sync-feeds", input: { ecosystems: ["Debian"] } } }],
  async handle(context, { workflow, input }) {
    const id = await context.workflows.start(mayRun(context, workflow), input);
    return (await runById(context.db, id)) as Run;
  },
});

async function changed(context: Context, id: string, work: (runId: string) => Promise<void>): Promise<Run> {
  const uuid = uuidOf("run", id);
  const run = await runById(context.db, uuid);
  if (run === undefined) fail(RunNotFound, `There is no run ${id} in this organization; qinfra workflows list shows what there is.`);
  mayRun(context, run.workflow);
  await work(uuid);
  return (await runById(context.db, uuid)) as Run;
}
