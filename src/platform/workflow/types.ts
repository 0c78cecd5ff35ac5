import type { Static, TSchema } from "typebox";
import type { Actor } from "../actor.ts";
import type { SignalRef, Workflow } from "./declare.ts";
import type { Overlap, ScheduleRow } from "./schedule-store.ts";

export type RunState = "waiting" | "running" | "succeeded" | "failed" | "cancelled";

/** What an operation, a step or a subscriber may ask of workflows. All of it is written in the caller's transaction. */
export interface Workflows {
  /** Starts a run once the transaction is committed; its UUID. Errors: InvalidInput. */
  start<I extends TSchema, O extends TSchema>(workflow: Workflow<I, O>, input: Static<I>): Promise<string>;
  /** Tells a run; kept until the run asks for it. Errors: RunNotFound, RunEnded. */
  signal(runId: string, ref: Pick<SignalRef, "name">, body: unknown): Promise<void>;
  /** Its compensations run, then it is over; one that has not begun is over at once. Errors: RunNotFound, RunEnded. */
  cancel(runId: string): Promise<void>;
  /** The permission that acting on its runs by hand needs, and the signals that it knows; undefined for one that there is not. */
  known(workflow: string): Workflow | undefined;
  /** Its UUID. Errors: InvalidInput, ScheduleInvalid, ScheduleExists. */
  schedule(schedule: ScheduleInput): Promise<string>;
  /** Errors: InvalidInput, ScheduleInvalid, ScheduleNotFound. */
  reschedule(id: string, changes: Partial<Omit<ScheduleInput, "name" | "workflow">>): Promise<ScheduleRow>;
  /** Runs that it has started go on. Errors: ScheduleNotFound. */
  unschedule(id: string): Promise<void>;
  /** Has a failed or cancelled run go on where it failed. Errors: RunNotFound, RunNotEnded. */
  retry(runId: string): Promise<void>;
}

/** When a workflow is started by itself. */
export interface ScheduleInput {
  name: string;
  workflow: string;
  input: unknown;
  /** Five fields, crontab(5). */
  cron: string;
  /** IANA name. */
  timeZone: string;
  /** What becomes of a run that is due while the one before is not over. */
  overlap: Overlap;
  /** How far back it makes up for what was missed while no server ran; 0 for not at all. */
  catchUpSeconds: number;
  paused: boolean;
}

/** Who started a run, as it is kept with it: enough to say so, and to ask again what they may do. */
export type Starter = Pick<Actor, "kind" | "userId" | "keyId" | "ai">;
