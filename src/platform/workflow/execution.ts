/** A call of a step, as the engine carries it. All JSON. */
export interface StepCall {
  /** UUIDs. */
  orgId: string;
  runId: string;
  /** Place in the run, from 1; with the run's id the idempotency key of what the step does outside. */
  seq: number;
  step: string;
  input: unknown;
  /** Runs even where the workflow was cancelled: compensations and its end. */
  evenCancelled: boolean;
}

export interface Failure {
  code: string;
  message: string;
}

/** What became of a call after its last attempt. */
export type StepOutcome = { output: unknown } | { failure: Failure } | { cancelled: true };

/** What a running workflow is told. Ids tell a message that came twice. */
export type Message = { id: string } & ({ kind: "signal"; name: string; body: unknown } | { kind: "cancel" } | { kind: "child-ended"; seq: number; outcome: StepOutcome });

/**
 * What an engine gives to one running workflow. Each answer is recorded before it is given, by the engine or in the
 * platform's `workflow_steps`, so that a replay sees the same ones.
 */
export interface Execution {
  /** With all attempts of the step's retry policy. */
  call(call: StepCall): Promise<StepOutcome>;
  /** The next message; undefined at the deadline (milliseconds since 1970). */
  receive(deadline: number): Promise<Message | undefined>;
  /** False where the engine knows that this run has passed the place without it; what the platform recorded decides after that. */
  patched(id: string): Promise<boolean>;
}
