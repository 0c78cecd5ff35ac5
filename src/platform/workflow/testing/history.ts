import type { Static, TSchema } from "typebox";
import { checkValue } from "../check.ts";
import type { StepRef, Workflow } from "../declare.ts";
import type { Execution, Failure, Message, StepCall, StepOutcome } from "../execution.ts";
import { EngineStopped, ownSteps, runWorkflow, type Ending } from "../frame.ts";

/** What a run asked its engine for, and the answer. `received` is null where nothing came until the deadline. */
export type Asked = { call: string; outcome: StepOutcome } | { received: Message | null } | { patch: string; answer: boolean };

/** A run from its beginning to its end, as an engine keeps it. All JSON. */
export interface History {
  workflow: string;
  about: string;
  input: unknown;
  /** In the order in which it was asked for. */
  asked: Asked[];
  ended: Ending["state"];
}

/** What the world does in a recorded run: what its steps answer, and what it is told while it waits. */
export interface Scenario {
  about: string;
  input: unknown;
  steps: readonly Answers[];
  /** In their order, one for each time that it waits. */
  told?: readonly Told[];
}

export type Told = { signal: string; body: unknown } | { cancel: true } | { childEnded: StepOutcome } | "nothing in time";

interface Answers {
  ref: StepRef;
  outcomes: readonly StepOutcome[];
}

/** What a step answers, one call after the other; the last one again for all that come later. */
export function answers<I extends TSchema, O extends TSchema>(ref: StepRef<I, O>, ...outputs: readonly (Static<O> | { failure: Failure })[]): Answers {
  const outcomes = outputs.map((output): StepOutcome => (isFailure(output) ? output : { output }));
  for (const outcome of outcomes) if ("output" in outcome) checkValue(ref.output, outcome.output, `answer of ${ref.id}`);
  return { ref: ref as unknown as StepRef, outcomes };
}

function isFailure(value: unknown): value is { failure: Failure } {
  return typeof value === "object" && value !== null && "failure" in value && Object.keys(value).length === 1;
}

/** UUIDs of every recorded run and of its organization. */
const place = { orgId: "01990000-0000-7000-8000-000000000001", runId: "01990000-0000-7000-8000-000000000002" };
const began = Date.UTC(2026, 0, 1);

/** Runs the workflow through its frame and writes down what it asks for. Errors: TypeError where the scenario does not say what comes. */
export async function recordHistory(definition: Workflow, scenario: Scenario): Promise<History> {
  checkValue(definition.input, scenario.input, `input of ${definition.id}`);
  const asked: Asked[] = [];
  const steps = new Map(scenario.steps.map(({ ref, outcomes }) => [ref.id, [...outcomes]]));
  const told = [...(scenario.told ?? [])];
  const children: number[] = [];
  let fault: Error | undefined;

  /** Thrown past the workflow, which could catch it. */
  function incomplete(what: string): never {
    fault ??= new TypeError(`${definition.id}, ${scenario.about}: the scenario says nothing of ${what}`);
    throw new EngineStopped(fault.message);
  }

  function outcomeOf({ step, input, seq }: StepCall): StepOutcome {
    switch (step) {
      case ownSteps.wait: {
        const { seconds } = input as { seconds: number | null };
        return { output: { until: seconds === null ? null : began + seconds * 1_000 } };
      }
      case ownSteps.startChild:
        children.push(seq);
        return { output: { run: place.runId } };
      case ownSteps.patch:
        return { output: { patch: (input as { id: string }).id } };
      case ownSteps.progress:
      case ownSteps.end:
        return { output: null };
      default: {
        const left = steps.get(step) ?? [];
        return (left.length > 1 ? left.shift() : left[0]) ?? incomplete(step);
      }
    }
  }

  function next(): Message | null {
    const one = told.shift() ?? incomplete("what it is told while it waits");
    if (one === "nothing in time") return null;
    const id = `message-${asked.length}`;
    if ("signal" in one) return { id, kind: "signal", name: one.signal, body: one.body };
    if ("cancel" in one) return { id, kind: "cancel" };
    return { id, kind: "child-ended", seq: children.shift() ?? incomplete("which child has ended"), outcome: one.childEnded };
  }

  const ending = await runWorkflow(definition, {
    async call(call) {
      const outcome = outcomeOf(call);
      asked.push({ call: call.step, outcome });
      return outcome;
    },
    async receive() {
      const received = next();
      asked.push({ received });
      return received ?? undefined;
    },
    async patched(id) {
      asked.push({ patch: id, answer: true });
      return true;
    },
  }, { ...place, input: scenario.input }).catch((error: unknown) => {
    throw fault ?? error;
  });
  if (told.length > 0) throw new TypeError(`${definition.id}, ${scenario.about}: it has ended, and was to be told more`);
  return { workflow: definition.id, about: scenario.about, input: scenario.input, asked, ended: ending.state };
}

/**
 * Runs today's code on a history, as an engine does that goes on with a run after a restart. What it asks for has to be
 * what was asked for then: the same steps, waits and patches, in the same order. A patch that is not in the history was
 * passed before it came, so it is answered with false.
 * @returns what differs, and what to do about it; undefined where nothing does.
 */
export async function replayHistory(definition: Workflow, history: History): Promise<string | undefined> {
  let at = 0;
  let difference: string | undefined;

  function differs(now: string): never {
    difference ??= `${history.workflow}, ${history.about}: at ${at + 1} of ${history.asked.length} the recorded run ${said(history.asked[at])}, and the code ${now} now. ${advice}`;
    throw new EngineStopped("the history differs");
  }

  const execution: Execution = {
    async call({ step }) {
      const then = history.asked[at];
      if (difference !== undefined || then === undefined || !("call" in then) || then.call !== step) return differs(`does ${step}`);
      at += 1;
      return then.outcome;
    },
    async receive() {
      const then = history.asked[at];
      if (difference !== undefined || then === undefined || !("received" in then)) return differs("waits");
      at += 1;
      return then.received ?? undefined;
    },
    async patched(id) {
      const then = history.asked[at];
      if (then === undefined || !("patch" in then) || then.patch !== id) return false;
      at += 1;
      return then.answer;
    },
  };
  try {
    const { state } = await runWorkflow(definition, execution, { ...place, input: history.input });
    if (difference === undefined && at < history.asked.length) differs("ends");
    if (state !== history.ended) difference ??= `${history.workflow}, ${history.about}: the recorded run ${history.ended}, and the code ends ${state} now. ${advice}`;
  } catch (error) {
    if (!(error instanceof EngineStopped)) throw error;
  }
  return difference;
}

const advice = "Runs that began before this change would fail with history-mismatch: what changes the order of steps goes through flow.patch. Where no release has run this workflow yet, delete its history and record it anew with test/histories/record.ts.";

function said(asked: Asked | undefined): string {
  if (asked === undefined) return "had ended";
  if ("call" in asked) return `did ${asked.call}`;
  return "patch" in asked ? `passed the patch ${asked.patch}` : "waited";
}

/** One line for each thing that was asked for, so that a change of it is seen in a diff. */
export function historyText({ asked, ...head }: History): string {
  const lines = asked.map((one) => `    ${JSON.stringify(one)}`);
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "asked": [\n${lines.join(",\n")}\n  ]\n}\n`;
}
