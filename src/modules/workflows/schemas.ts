import { Type, type Static } from "typebox";
import { TypeId } from "../../platform/ids.ts";

export const RunId = TypeId("run", "Run of a workflow");
const Time = Type.String({ format: "date-time" });
const Maybe = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const Failure = Type.Object({ code: Type.String(), message: Type.String() });

export const RunStateName = Type.Union([Type.Literal("waiting"), Type.Literal("running"), Type.Literal("succeeded"), Type.Literal("failed"), Type.Literal("cancelled")], {
  description: "`waiting`: for its turn, or for a server that runs workflows",
});

export const Run = Type.Object({
  id: RunId,
  workflow: Type.String(),
  state: RunStateName,
  progress: Maybe(Type.Object({ step: Type.String(), done: Type.Optional(Type.Number()), total: Type.Optional(Type.Number()) })),
  failure: Maybe(Failure),
  startedBy: Type.String({ description: "TypeID of who started it, or `system`" }),
  parent: Maybe(RunId),
  createdAt: Time,
  endedAt: Maybe(Time),
  cancelling: Type.Boolean({ description: "It was cancelled and is undoing what it did" }),
});
export type Run = Static<typeof Run>;

export const Step = Type.Object({
  call: Type.Integer({ description: "Place in the run; the end has none, which is 0" }),
  step: Type.String(),
  state: Type.Union([Type.Literal("done"), Type.Literal("failed"), Type.Literal("retried")], { description: "`retried`: an attempt that failed and was followed by another" }),
  attempt: Type.Integer({ minimum: 1 }),
  input: Type.Unknown(),
  output: Type.Unknown(),
  failure: Maybe(Failure),
  startedAt: Time,
  ms: Type.Integer({ description: "Duration in milliseconds" }),
});
export type Step = Static<typeof Step>;

export const RunWithSteps = Type.Object({
  ...Run.properties,
  input: Type.Unknown(),
  output: Type.Unknown(),
  steps: Type.Array(Step, { description: "In the order in which they began" }),
  waitsFor: Type.Array(Type.String(), { description: "Signals that this workflow knows" }),
});
