import type { Static, TSchema } from "typebox";
import type { Logger } from "pino";
import type { BlobStore } from "../blobs/types.ts";
import type { Clock } from "../clock.ts";
import type { Db } from "../database/database.ts";
import type { EventType } from "../events/declare.ts";
import type { EventAppender } from "../events/types.ts";
import type { HttpClient } from "../http-client/types.ts";
import type { Ids } from "../ids.ts";
import type { RunEnd } from "../operation/run-approved.ts";
import type { Quotas } from "../operation/quotas.ts";
import type { Secrets } from "../secrets/types.ts";
import type { Mailer } from "../mail/types.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { StepRef } from "./declare.ts";
import type { Starter, Workflows } from "./types.ts";

interface Common {
  /** UUIDs of the organization and of the run. */
  orgId: string;
  runId: string;
  /** Who started the run. */
  starter: Starter;
  clock: Clock;
  ids: Ids;
  log: Logger;
  metrics: Metrics;
  /** Those that modules declare. */
  eventTypes: readonly EventType[];
}

/** What the part of a step that may do I/O is given. It may run more than once. */
export interface StepPrepareContext extends Common {
  /** To be sent along with whatever it changes outside, so that the other side does it once. The same for each attempt. */
  idempotencyKey: string;
  /** From 1. */
  attempt: number;
  /** Aborts at the step's time limit, and when this server stops. */
  signal: AbortSignal;
  /** A short transaction of the organization, for reading and for what may be written twice. */
  transaction<T>(work: (db: Db) => Promise<T>): Promise<T>;
  blobs: BlobStore;
  http: HttpClient;
  /** Absent where no mail server is set. */
  mail?: Mailer;
  /** Where people reach the platform: an origin, without a path. */
  publicUrl: string;
  /** Settings of the platform that a step may read. */
  settings: { osvUrl: string; scanLocalAddresses: boolean };
  secrets: Pick<Secrets, "open">;
  /** This server's advisory lock: what it stages is its own for as long as the lock is held. */
  instance: number;
  /** What `qinfra workflows watch` shows while the step runs. */
  progress(progress: { step: string; done?: number; total?: number }): void;
  /** Runs what people approved, as whoever asked; for `approvals.run-approved`. Throws what may go better another time. */
  runApproved(approval: { orgId: string; id: string; signal: AbortSignal }): Promise<RunEnd>;
  /** Runs a declared CPU-heavy task in the worker pool. */
  compute<T>(task: string, data: unknown): Promise<T>;
}

/** What the part of a step that writes is given: its transaction also records that the step is done, so it happens once. */
export interface StepContext extends Common {
  db: Db;
  events: EventAppender;
  quotas: Quotas;
  workflows: Workflows;
}

export interface StepSpec<I extends TSchema, O extends TSchema, P> {
  prepare?(context: StepPrepareContext, input: Static<I>): Promise<P>;
  handle(context: StepContext, input: Static<I>, prepared: P): Promise<Static<O>>;
  /** `system` is for what comes before or across tenants; a test lists these steps. */
  database?: "tenant" | "system";
}

/** A step with its types erased. */
export interface StepHandler {
  ref: StepRef;
  prepare?(context: StepPrepareContext, input: unknown): Promise<unknown>;
  handle(context: StepContext, input: unknown, prepared: unknown): Promise<unknown>;
  database?: "tenant" | "system";
}

/** What a declared step does: outside in `prepare`, in the database in `handle`. Throw a declared error to say which failure it is. */
export function stepHandler<I extends TSchema, O extends TSchema, P = undefined>(ref: StepRef<I, O>, spec: StepSpec<I, O, P>): StepHandler {
  return { ref, ...spec } as unknown as StepHandler;
}
