import { ActivityCancellationType, CancellationScope, condition, defineSignal, patched, proxyActivities, setHandler, type UntypedActivities } from "@temporalio/workflow";
import { systemClock } from "../../../clock.ts";
import type { Workflow } from "../../declare.ts";
import type { Handed } from "../../engine.ts";
import type { Execution, Message, StepOutcome } from "../../execution.ts";
import { runWorkflow, type Ending } from "../../frame.ts";
import { never } from "../../inbox.ts";
import { messageSignal, silentMs } from "./names.ts";

/** Longest time of one timer; a wait that is longer sets the next one. */
const longestTimerMs = 365 * 86_400_000;

const activities = proxyActivities<UntypedActivities>({
  // Its attempts are the step's own; this one ends when they have, however long they take.
  startToCloseTimeout: "30 days",
  heartbeatTimeout: silentMs,
  retry: { initialInterval: "1 second", backoffCoefficient: 1 },
  cancellationType: ActivityCancellationType.ABANDON,
});

/**
 * The workflow function that runs all declared workflows in Temporal's sandbox. The entry of a bundle exports it under
 * `workflowType`. It ends as its run did; a Temporal execution itself never fails, and where its history asks for
 * something else than this code, it waits for the code that it was written by.
 */
export function temporalWorkflow(workflows: readonly Workflow[]): (run: Handed) => Promise<Ending["state"]> {
  const byId = new Map(workflows.map((definition) => [definition.id, definition]));

  return async function qinfra(run) {
    const definition = byId.get(run.workflow);
    // Thrown, it fails this attempt at the task and not the run: a server with newer code goes on with it.
    if (definition === undefined) throw new Error(`this server knows no workflow ${run.workflow}`);
    const execution = executionOf();
    // The platform cancels by message, so that compensations run; a cancellation in Temporal changes nothing.
    const ending = await CancellationScope.nonCancellable(() => runWorkflow(definition, execution, run));
    return ending.state;
  };
}

function executionOf(): Execution {
  const arrived: Message[] = [];
  setHandler(defineSignal<[Message]>(messageSignal), (message) => void arrived.push(message));
  const isThere = (): boolean => arrived.length > 0;
  return {
    async call(call) {
      const activity = activities[call.step];
      if (activity === undefined) throw new Error(`there is no activity ${call.step}`);
      return (await activity(call)) as StepOutcome;
    },
    async receive(deadline) {
      while (!isThere()) {
        // In the sandbox the system's clock is that of the history.
        const left = deadline - systemClock.now();
        if (left <= 0) return undefined;
        if (deadline >= never) await condition(isThere);
        else await condition(isThere, Math.min(left, longestTimerMs));
      }
      return arrived.shift();
    },
    patched: async (id) => patched(id),
  };
}
