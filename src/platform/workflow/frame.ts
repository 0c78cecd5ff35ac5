import { WorkflowError, mostBytes, mostCalls, type Flow, type Workflow } from "./declare.ts";
import type { Execution, Failure, StepOutcome } from "./execution.ts";
import { createInbox, never } from "./inbox.ts";

/** Steps of the platform itself; they are recorded and shown like all others. */
export const ownSteps = { wait: "workflow.wait", startChild: "workflow.start-child", progress: "workflow.progress", patch: "workflow.patch", end: "workflow.end" } as const;

/** How a run ended, as its last step records it. */
export type Ending = { state: "succeeded"; output: unknown } | { state: "failed"; failure: Failure } | { state: "cancelled" };

/** Calls `from` to `to` were the last that the function made, one or a wave of them; what came after undid steps. */
export interface Where {
  from: number;
  to: number;
  undone: boolean;
}

/** Thrown by an engine that can go no further here: the run goes on elsewhere, so nothing is recorded of it. */
export class EngineStopped extends Error {}

class Cancelled extends Error {}

/**
 * Runs a workflow to its end, on any engine: its calls, the compensations where it failed or was cancelled, and the last
 * step, which records how it ended.
 */
export async function runWorkflow(definition: Workflow, execution: Execution, run: { orgId: string; runId: string; input: unknown }): Promise<Ending> {
  const { orgId, runId } = run;
  const inbox = createInbox(execution);
  const undo: { step: string; input: unknown }[] = [];
  let seq = 0;
  let phase: "free" | "launching" | "waiting" = "free";
  let launched = 0;
  let from = 0;

  async function call(step: string, input: unknown, evenCancelled = false): Promise<unknown> {
    const outcome = await execution.call({ orgId, runId, seq: seq += 1, step, input, evenCancelled });
    if ("cancelled" in outcome) throw new Cancelled();
    return outputOf(outcome);
  }

  /** Refuses what a replay might not repeat, or could not carry. */
  function admit(what: string, input: unknown, inParallel: boolean): void {
    if (inbox.cancelled()) throw new Cancelled();
    if (phase === "waiting" || (phase === "launching" && (!inParallel || (launched += 1) > 1))) {
      throw new TypeError(`${definition.id}: ${what} inside a branch of flow.parallel; a branch makes one call of flow.step or flow.child, what needs more is a child workflow`);
    }
    if (seq >= mostCalls) throw new WorkflowError("too-many-calls", `${definition.id} has made ${mostCalls} calls, which is the most a history holds; give parts of its work to children.`);
    if (phase === "free") from = seq + 1;
    const bytes = JSON.stringify(input)?.length ?? 0;
    if (bytes > mostBytes) throw new WorkflowError("too-large", `The argument of ${what} in ${definition.id} is ${bytes} bytes; at most ${mostBytes} fit into a history, larger ones go by blob reference.`);
  }

  /** When the wait is over; recorded, so that neither a restart nor another attempt at the run begins it anew. */
  async function deadline(what: string, seconds: number | undefined): Promise<number> {
    const { until } = (await call(ownSteps.wait, { what, seconds: seconds ?? null })) as { until: number | null };
    return until ?? never;
  }

  const flow: Flow = {
    id: runId,
    async step(ref, input) {
      admit(ref.id, input, true);
      return (await call(ref.id, input)) as never;
    },
    async sleep(seconds) {
      admit("flow.sleep", seconds, false);
      if (await inbox.next(() => false, await deadline("sleep", seconds)) === "cancelled") throw new Cancelled();
    },
    async waitFor(ref, { timeoutSeconds } = {}) {
      admit("flow.waitFor", ref.name, false);
      const until = await deadline(ref.name, timeoutSeconds);
      const found = await inbox.next((message) => message.kind === "signal" && message.name === ref.name, until);
      if (found === "cancelled") throw new Cancelled();
      return (found?.kind === "signal" ? found.body : undefined) as never;
    },
    compensate(ref, input) {
      undo.push({ step: ref.id, input });
    },
    async parallel(branches, { atOnce = 50 } = {}) {
      if (phase !== "free") throw new TypeError(`${definition.id}: flow.parallel inside a branch of flow.parallel`);
      const results: unknown[] = [];
      for (let first = 0; first < branches.length; first += atOnce) {
        from = seq + 1;
        const running = branches.slice(first, first + atOnce).map((branch) => {
          phase = "launching";
          launched = 0;
          return branch();
        });
        phase = "waiting";
        const ended = await Promise.allSettled(running);
        phase = "free";
        for (const one of ended) {
          if (one.status === "rejected") throw one.reason;
          results.push(one.value);
        }
      }
      return results as never;
    },
    async child(ref, input) {
      admit(ref.id, input, true);
      // Taken here: other branches count on while this one waits.
      const place = seq + 1;
      await call(ownSteps.startChild, { workflow: ref.id, input });
      const ended = await inbox.next((message) => message.kind === "child-ended" && message.seq === place, never);
      if (ended === "cancelled") throw new Cancelled();
      if (ended?.kind !== "child-ended") throw new EngineStopped(`no end of the child at ${place}`);
      if ("cancelled" in ended.outcome) throw new WorkflowError("child-cancelled", `${ref.id}, started by ${definition.id}, was cancelled.`);
      return outputOf(ended.outcome) as never;
    },
    async patch(id) {
      if (!(await execution.patched(id))) return false;
      // What the engine knows can end before what was done: it died in between, or this is another attempt at the run.
      const outcome = await execution.call({ orgId, runId, seq: seq + 1, step: ownSteps.patch, input: { id }, evenCancelled: false });
      if ("cancelled" in outcome) throw new Cancelled();
      const passed = (outputOf(outcome) as { patch: string | null }).patch === id;
      if (passed) seq += 1;
      return passed;
    },
    async progress(step, done, total) {
      admit("flow.progress", step, false);
      await call(ownSteps.progress, { step, ...(done === undefined ? {} : { done }), ...(total === undefined ? {} : { total }) });
    },
  };

  const ending = await endingOf(definition.run(flow, run.input as never));
  const where: Where = { from, to: seq, undone: ending.state !== "succeeded" && undo.length > 0 };
  if (ending.state !== "succeeded") {
    for (const { step, input } of undo.toReversed()) await execution.call({ orgId, runId, seq: seq += 1, step, input, evenCancelled: true });
  }
  // The same place for every run, so that it is done once however the run came here.
  await execution.call({ orgId, runId, seq: 0, step: ownSteps.end, input: { ending, where }, evenCancelled: true });
  return ending;
}

async function endingOf(work: Promise<unknown>): Promise<Ending> {
  try {
    const output = (await work) ?? null;
    const bytes = JSON.stringify(output).length;
    if (bytes > mostBytes) throw new WorkflowError("too-large", `The result is ${bytes} bytes; at most ${mostBytes} fit into a history, larger ones go by blob reference.`);
    return { state: "succeeded", output };
  } catch (error) {
    if (error instanceof EngineStopped) throw error;
    if (error instanceof Cancelled) return { state: "cancelled" };
    const code = error instanceof WorkflowError ? error.code : "workflow-failed";
    return { state: "failed", failure: { code, message: String(error instanceof Error ? error.message : error).slice(0, 2_000) } };
  }
}

function outputOf(outcome: StepOutcome): unknown {
  if ("failure" in outcome) throw new WorkflowError(outcome.failure.code, outcome.failure.message);
  return "output" in outcome ? outcome.output : undefined;
}
