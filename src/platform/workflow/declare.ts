import { Type, type Static, type TSchema } from "typebox";

// What workflow code may import: descriptors and types, nothing that does anything. It also runs where there is no Node.

/** How often a step is tried that failed, and how soon again. */
export interface RetryPolicy {
  /** Of them the first is no retry: 1 is never again. */
  attempts: number;
  firstSeconds: number;
  /** Each wait is this many times the one before, and at most `mostSeconds`. */
  factor: number;
  mostSeconds: number;
  /** Codes of declared errors after which another attempt would be no use. */
  never: readonly string[];
}

const usualRetry: RetryPolicy = { attempts: 5, firstSeconds: 1, factor: 2, mostSeconds: 60, never: [] };

/** What a workflow knows of a step; the handler is declared apart (`stepHandler`), because it does I/O. */
export interface StepRef<I extends TSchema = TSchema, O extends TSchema = TSchema> {
  /** `<module>.<verb-noun>`, stable: recorded histories name it. */
  id: string;
  summary: string;
  input: I;
  output: O;
  retry: RetryPolicy;
  /** Limit of one attempt. */
  timeoutSeconds: number;
}

export function step<I extends TSchema, O extends TSchema>(
  spec: { id: string; summary: string; input: I; output: O; retry?: Partial<RetryPolicy>; timeoutSeconds?: number },
): StepRef<I, O> {
  return { ...spec, retry: { ...usualRetry, ...spec.retry }, timeoutSeconds: spec.timeoutSeconds ?? 300 };
}

/** A message that a running workflow can wait for. */
export interface SignalRef<B extends TSchema = TSchema> {
  name: string;
  summary: string;
  body: B;
}

export function signal<B extends TSchema>(spec: SignalRef<B>): SignalRef<B> {
  return spec;
}

/**
 * What a workflow can do. Each call is recorded, so that the workflow goes on where it was on another server; between
 * two calls it must do the same again: no clock, no randomness, no I/O.
 */
export interface Flow {
  /** Ids of the run: TypeID, and UUID of its organization. */
  readonly id: string;
  /** Errors: WorkflowError with the step's own code, after its last attempt. */
  step<I extends TSchema, O extends TSchema>(ref: StepRef<I, O>, input: Static<I>): Promise<Static<O>>;
  /** From the moment of the call; a restart does not make it longer. */
  sleep(seconds: number): Promise<void>;
  /** The body of the next signal of that name that was not read yet; undefined where none came in time. */
  waitFor<B extends TSchema>(ref: SignalRef<B>, options?: { timeoutSeconds?: number }): Promise<Static<B> | undefined>;
  /** To be run if the workflow fails or is cancelled later on; the last one first. */
  compensate<I extends TSchema, O extends TSchema>(ref: StepRef<I, O>, input: Static<I>): void;
  /**
   * All branches at once, or `atOnce` of them and then as many again. A branch makes one call of the flow, because what
   * comes after would be in an order that another run does not repeat; what needs more is a child. The first failure
   * is thrown when all of its wave have ended.
   */
  parallel<T>(branches: readonly (() => Promise<T>)[], options?: { atOnce?: number }): Promise<T[]>;
  /** Another workflow of its own, with its own history, that is waited for. It is cancelled with this one. */
  child<I extends TSchema, O extends TSchema>(ref: Workflow<I, O>, input: Static<I>): Promise<Static<O>>;
  /** True for runs that come here with this code for the first time, false for those that passed before the change. */
  patch(id: string): Promise<boolean>;
  /** What `qinfra workflows watch` shows. */
  progress(step: string, done?: number, total?: number): Promise<void>;
}

/** A plain function of `flow`, and what is known of it before it runs. */
export interface Workflow<I extends TSchema = TSchema, O extends TSchema = TSchema> {
  /** `<module>.<verb-noun>`, stable. */
  id: string;
  summary: string;
  input: I;
  output: O;
  /** Who may start, cancel and signal it by hand; reading needs `workflows:read`. */
  permission: `${string}:${string}`;
  signals: readonly SignalRef[];
  /** Runs of one organization with the same key go one after the other. */
  concurrencyKey?(input: Static<I>): string;
  /** At most this many runs of it at once, of all organizations together. */
  atOnce?: number;
  run(flow: Flow, input: Static<I>): Promise<Static<O>>;
}

export function workflow<I extends TSchema, O extends TSchema>(
  spec: Omit<Workflow<I, O>, "signals"> & { signals?: readonly SignalRef[] },
): Workflow<I, O> {
  return { ...spec, signals: spec.signals ?? [] };
}

/** What a step or a child failed with; a workflow may catch it. */
export class WorkflowError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = "WorkflowError";
    this.code = code;
  }
}

/** A value too large for a history, kept in the blobs of the organization. */
export const BlobRef = Type.Object({ blob: Type.String({ pattern: "^[0-9a-f]{64}$", description: "SHA-256 of the JSON text" }), bytes: Type.Integer({ minimum: 0 }) });
export type BlobRef = Static<typeof BlobRef>;

/** Most bytes of JSON of an argument or a result; more goes by `BlobRef`. */
export const mostBytes = 64 * 1024;
/** Most calls of a flow; more goes into children. */
export const mostCalls = 1_000;
