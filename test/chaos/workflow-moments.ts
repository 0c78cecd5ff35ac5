import type { EventAppender } from "../../src/platform/events/index.ts";
import type { RunStep, StepHandler, WorkflowEngine } from "../../src/platform/workflow/index.ts";
import type { StepCall } from "../../src/platform/workflow/execution.ts";
import { ownSteps } from "../../src/platform/workflow/frame.ts";

/** Where a server dies. A call is named by its place in the run; 0 is its end. */
export type Moment =
  /** A run is taken and the engine does not know it yet; it knows it, and the row does not say so. The same of a message. */
  | { at: "run taken" | "run handed over" | "message taken" | "message handed over" }
  /** Before a step does something outside; after it did. */
  | { at: "preparing" | "prepared"; call: number; attempt?: number }
  /** In the transaction of a step, after its effect. */
  | { at: "uncommitted"; call: number }
  /** The transaction is over and the engine not told; the engine was told a while ago, and the run sleeps or waits. */
  | { at: "committed" | "waiting"; call: number };

const whileMs = 300;

/** The parts of a server, made so that its process is killed by itself at the moment. Without one they are what they were. */
export function dyingAt(moment: Moment | undefined) {
  function die(): void {
    process.kill(process.pid, "SIGKILL");
  }

  function at(place: Moment["at"], call?: number, attempt?: number): void {
    if (moment?.at !== place) return;
    if ("call" in moment && moment.call !== call) return;
    if ("attempt" in moment && moment.attempt !== attempt) return;
    die();
  }

  return {
    engine(engine: WorkflowEngine): WorkflowEngine {
      return {
        ...engine,
        async start(run) {
          at("run taken");
          await engine.start(run);
          at("run handed over");
        },
        async deliver(key, message) {
          at("message taken");
          await engine.deliver(key, message);
          at("message handed over");
        },
      };
    },
    steps(handlers: readonly StepHandler[]): StepHandler[] {
      return handlers.map((handler): StepHandler => ({
        ...handler,
        async prepare(context, input) {
          const call = Number(context.idempotencyKey.split(":").at(-1));
          at("preparing", call, context.attempt);
          const prepared = await handler.prepare?.(context, input);
          at("prepared", call, context.attempt);
          return prepared;
        },
        async handle(context, input, prepared) {
          const output = await handler.handle(context, input, prepared);
          at("uncommitted", (context as unknown as { call: StepCall }).call.seq);
          return output;
        },
      }));
    },
    /** The platform's own end of a run appends an event once its row is written. */
    events(events: EventAppender, step: string): EventAppender {
      return {
        ...events,
        async append(event) {
          const appended = await events.append(event);
          if (step === ownSteps.end) at("uncommitted", 0);
          return appended;
        },
      };
    },
    runStep(runStep: RunStep): RunStep {
      return async (call, stop) => {
        const outcome = await runStep(call, stop);
        at("committed", call.seq);
        if (moment?.at === "waiting" && moment.call === call.seq) setTimeout(die, whileMs);
        return outcome;
      };
    },
  };
}
