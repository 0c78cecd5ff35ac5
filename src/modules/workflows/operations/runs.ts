import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { fromCursor, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { listRuns, payloadOf, runById, RunNotFound, stepsOf } from "../../../platform/workflow/index.ts";
import { Run, RunId, RunStateName, RunWithSteps } from "../schemas.ts";

const example = { id: "run_01jd0000000000000000000000" };

export const listWorkflows = operation({
  id: "workflows.list",
  http: "GET /api/v1/workflows",
  cli: { name: "workflows list", columns: ["id", "workflow", "state", "progress.step", "createdAt", "endedAt"] },
  summary: "List runs of workflows, newest first",
  permission: "workflows:read",
  effect: "read",
  input: Type.Object({ workflow: Type.Optional(Type.String({ maxLength: 100, description: "Id of a workflow" })), state: Type.Optional(RunStateName), ...paging }),
  output: Page(Run),
  examples: [{ input: {} }, { summary: "What failed", input: { state: "failed" } }],
  async handle({ db }, { workflow, state, cursor, limit = 100 }) {
    const after = fromCursor(cursor, /^run_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
    const runs = await listRuns(db, {
      limit: limit + 1, ...(workflow === undefined ? {} : { workflow }), ...(state === undefined ? {} : { state }),
      ...(after === undefined ? {} : { after: uuidOf("run", after) }),
    });
    return pageOf(runs, limit, (run) => run.id);
  },
});

export const getWorkflow = operation({
  id: "workflows.get",
  http: "GET /api/v1/workflows/{id}",
  cli: { name: "workflows get", positional: ["id"] },
  summary: "Show a run of a workflow with what each of its steps did",
  permission: "workflows:read",
  effect: "read",
  snapshot: true,
  input: Type.Object({ id: RunId }),
  output: RunWithSteps,
  errors: [RunNotFound],
  examples: [{ input: example }],
  async handle({ db, workflows }, { id }) {
    const run = await runById(db, uuidOf("run", id));
    if (run === undefined) fail(RunNotFound, `There is no run ${id} in this organization; qinfra workflows list shows what there is.`);
    return { ...run, ...(await payloadOf(db, uuidOf("run", id))), steps: await stepsOf(db, uuidOf("run", id)), waitsFor: (workflows.known(run.workflow)?.signals ?? []).map(({ name }) => name) };
  },
});
