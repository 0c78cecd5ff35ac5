import { Type } from "typebox";
import type { Clock } from "../clock.ts";
import { step, type Workflow } from "./declare.ts";
import { fail, NotFound } from "../errors.ts";
import type { StepCall } from "./execution.ts";
import { ownSteps, type Ending } from "./frame.ts";
import { finishRun, startRun, type RunPorts } from "./runs.ts";
import { runForChange, setProgress } from "./store.ts";
import { stepHandler, type StepContext, type StepHandler } from "./steps.ts";

type Inside = StepContext & { call: StepCall; runPorts: RunPorts };

const always = { attempts: Number.MAX_SAFE_INTEGER, firstSeconds: 1, factor: 2, mostSeconds: 30 };

/** What the frame of each workflow asks of the platform, as steps like all others. */
export function ownHandlers({ clock, workflows }: { clock: Clock; workflows: ReadonlyMap<string, Workflow> }): StepHandler[] {
  const wait = step({
    id: ownSteps.wait, summary: "Wait", retry: always,
    input: Type.Object({ what: Type.String(), seconds: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]) }),
    output: Type.Object({ until: Type.Union([Type.Number(), Type.Null()]) }),
  });
  const startChild = step({
    id: ownSteps.startChild, summary: "Start a child", retry: { ...always, never: ["invalid-input", "not-found"] },
    input: Type.Object({ workflow: Type.String(), input: Type.Unknown() }), output: Type.Object({ run: Type.String() }),
  });
  const progress = step({
    id: ownSteps.progress, summary: "Report progress", retry: always,
    input: Type.Object({ step: Type.String(), done: Type.Optional(Type.Number()), total: Type.Optional(Type.Number()) }), output: Type.Null(),
  });
  const patch = step({
    id: ownSteps.patch, summary: "Begin with changed code", retry: always,
    input: Type.Object({ id: Type.String() }), output: Type.Object({ patch: Type.Union([Type.String(), Type.Null()]) }),
  });
  const end = step({ id: ownSteps.end, summary: "End", retry: always, input: Type.Object({ ending: Type.Unknown(), where: Type.Unknown() }), output: Type.Null() });
  return [
    stepHandler(wait, { handle: async (_context, { seconds }) => ({ until: seconds === null ? null : clock.now() + seconds * 1_000 }) }),
    stepHandler(startChild, {
      async handle(context, asked) {
        const { call, runPorts } = context as Inside;
        const child = workflows.get(asked.workflow);
        if (child === undefined) fail(NotFound, `There is no workflow ${asked.workflow}.`);
        const run = await startRun(context.db, { orgId: context.orgId, starter: context.starter, parent: { id: context.runId, seq: call.seq } }, runPorts, child, asked.input);
        return { run };
      },
    }),
    stepHandler(progress, {
      async handle(context, told) {
        await setProgress(context.db, context.orgId, context.runId, told);
        return null;
      },
    }),
    stepHandler(patch, { handle: async (_context, { id }) => ({ patch: id }) }),
    stepHandler(end, {
      async handle(context, { ending }) {
        const run = await runForChange(context.db, context.orgId, context.runId);
        if (run !== undefined) await finishRun(context.db, run, ending as Ending, (context as Inside).runPorts);
        return null;
      },
    }),
  ];
}
