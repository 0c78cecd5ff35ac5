import { Type, type Static, type TObject, type TProperties, type TSchema } from "typebox";
import type { Logger } from "pino";
import type { Readable } from "node:stream";
import type { Actor } from "../actor.ts";
import type { BlobStore } from "../blobs/types.ts";
import type { Clock } from "../clock.ts";
import type { Db } from "../database/database.ts";
import type { ErrorType } from "../errors.ts";
import type { Verification } from "../events/verify.ts";
import type { EventType } from "../events/declare.ts";
import type { LiveEvents } from "../events/live.ts";
import type { EventAppender } from "../events/types.ts";
import type { HttpClient } from "../http-client/types.ts";
import type { Ids } from "../ids.ts";
import type { Quotas } from "./quotas.ts";
import type { Identify, SignInOptions } from "./services.ts";
import type { Secrets } from "../secrets/types.ts";
import type { EligiblePersons } from "../approvals/decide.ts";
import type { ApproverRule } from "../approvals/types.ts";
import type { Workflow, Workflows } from "../workflow/index.ts";
import type { Replanned } from "./replan.ts";

export type Effect = "pure" | "read" | "change" | "destructive";
export type Door = "http" | "cli" | "mcp";
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Reported while a long operation runs, to the terminal or as a line of the response. */
export interface Progress {
  step: string;
  done?: number;
  total?: number;
}

interface CommonContext {
  actor: Actor;
  /** UUID of the organization that the caller works in. */
  orgId: string;
  requestId: string;
  clock: Clock;
  ids: Ids;
  log: Logger;
}

/** What `prepare` is given: no transaction is open, it may take long, and it can be cancelled. */
export interface PrepareContext extends CommonContext {
  /** Address of the caller, for limits. */
  address: string;
  signal: AbortSignal;
  progress(progress: Progress): void;
  /** The request's body, for an operation that declares one, as it was sent. */
  body?: Readable;
  /** A short transaction of its own, on the same door to the database as `handle`. */
  transaction<T>(work: (db: Db) => Promise<T>): Promise<T>;
  blobs: BlobStore;
  http: HttpClient;
  /** Settings of the platform that an operation may read, for example where feeds come from. */
  settings: { osvUrl: string; deletionGraceDays: number; signIn: SignInOptions };
  secrets: Pick<Secrets, "seal" | "open">;
  /** Where people reach the platform: an origin, without a path. */
  publicUrl: string;
  /** This server's advisory lock: what it stages is its own for as long as the lock is held. */
  instance: number;
  /** Whom an ID token means; what its issuer says of memberships is written down by then. */
  identify: Identify;
  /** Those that operations ask for, of all modules. */
  permissions: readonly string[];
  /** The types of events that modules declare. */
  eventTypes: readonly EventType[];
  operations: ReadonlyMap<string, Operation>;
  /** Who may decide on approvals. */
  eligible: EligiblePersons;
  /** What waits for the decisions on an approval request. */
  follow: Workflow;
  /** What a waiting approval request (UUID) would be with another input. */
  replan(approval: string, input: unknown): Promise<Replanned>;
  /** Why the policies on requests would refuse the caller what needs this permission; empty where they would not. */
  judge(permission: string, effect: "read" | "change"): Promise<readonly string[]>;
  /** Checks the caller's own event log against its chain and signed checkpoints. */
  verifyLog(): Promise<Verification>;
  /** Runs a declared CPU-heavy task in the worker pool. */
  compute<T>(task: string, data: unknown): Promise<T>;
}

/** What a stream is given. Its database reads and its limits are its own. */
export interface StreamContext {
  /** Who listens, as of a few seconds ago: what they may see can change while they do. */
  actor(): Actor;
  /** UUID of the organization that the caller works in. */
  orgId: string;
  live: LiveEvents;
  /** Of all modules. */
  eventTypes: readonly EventType[];
  signal: AbortSignal;
}

/** What goes out at once. */
export interface StreamPart {
  events: readonly { id: string; type: string; data: string }[];
  /** From where to go on after a break; the id of the last event, or beyond it. */
  cursor: string;
}

/** Server-sent events, for a caller that asks for them. */
export interface StreamSpec<Input, Output> {
  /** JSON Schema of what `data` of each event holds. */
  event: TSchema;
  /** From where the answer says. The next part is asked for when the last one is sent. */
  open(context: StreamContext, input: Input, begin: Output): AsyncIterable<StreamPart>;
}

/** What `handle` is given: an open transaction, no outbound I/O, under two seconds. */
export interface Context extends CommonContext {
  db: Db;
  events: EventAppender;
  quotas: Quotas;
  workflows: Workflows;
}

export interface CliSpec {
  /** Words of the command: `images list`. */
  name: string;
  /** Input fields that are given by position. */
  positional?: readonly string[];
  /** Fields of the answer (or of its items) that `--output table` shows, in order. */
  columns?: readonly string[];
  /** A member of the answer that `--output table` shows alone where it is there: it is what was asked for. */
  alone?: string;
  /** An answer that is no error and yet bad news: the command then exits with 1. A path such as `can.allowed`. */
  failsWhen?: { field: string; is: boolean };
}

export interface BodySpec {
  contentTypes: readonly string[];
  description: string;
}

export interface OperationSpec<I extends TProperties, O extends TSchema, P, Q> {
  /** `<module>.<verb-noun>`, stable. */
  id: string;
  /** `GET /api/v1/images/{id}`, written whole so that a URL can be found. */
  http: `${Method} /${string}`;
  cli?: CliSpec;
  summary: string;
  description?: string;
  /** `images:read`; `public` or `self` need `reason`. */
  permission: `${string}:${string}` | "public" | "self";
  reason?: string;
  effect: Effect;
  /** Who approves it where a policy wants that; one administrator where it is absent. A policy may ask for more. */
  approvers?: readonly ApproverRule[];
  /** Doors that are closed, each with its reason. */
  without?: Partial<Record<Door, string>>;
  /** `system` is for what comes before or across tenants; a test lists these operations. */
  database?: "tenant" | "system";
  input: TObject<I>;
  output: O;
  errors?: readonly ErrorType[];
  examples: readonly { input: Static<TObject<I>>; summary?: string }[];
  /** A streamed request body beside the input, which then travels in path and query only. */
  body?: BodySpec;
  /**
   * Asked for as `text/event-stream` the operation goes on after its answer, which says where it begins. The input has
   * `after`, which a caller who was cut off sends as `Last-Event-ID`.
   */
  stream?: StreamSpec<Static<TObject<I>>, Static<O>>;
  /** After commit the caller waits until this subscription has handled the event of this type. */
  awaits?: { event: EventType; subscription: string };
  /** A read of several statements that must see the same moment. */
  snapshot?: boolean;
  /** May be called by somebody who signed in with a one-time password, who can do nothing else: `sessions.delete` and `users.set-password`. */
  afterOneTimePassword?: boolean;
  /** Largest JSON input in bytes; 1 MiB where it is absent. */
  maxInputBytes?: number;
  /** The answer holds a secret that is shown once: it is never stored, so a repeated request is refused, not answered. */
  answersSecret?: boolean;
  /** Answers with status 201 instead of 200. */
  creates?: boolean;
  /** The person must have given a second factor within the last minutes (`sessions.confirm`); an API key never can. */
  confirm?: "second-factor";
  /** A read that a replica may answer; the answer says how old it may be. */
  replica?: boolean;
  /** A read whose answer is kept: under this key, for so many seconds, until an event of one of the subjects. */
  cache?: { key(input: Static<TObject<I>>): string; subjects(input: Static<TObject<I>>): readonly string[]; seconds: number };
  /** Dates, RFC 3339: since when it should not be used, when it goes, and the operation that takes its place. */
  deprecated?: { since: string; sunset: string; use?: string };
  prepare?(context: PrepareContext, input: Static<TObject<I>>): Promise<P>;
  /** Pure over what was read; holds no clock value or random id. What an approver sees and what its hash is made of. */
  plan?(prepared: P, input: Static<TObject<I>>): Q;
  handle(context: Context, input: Static<TObject<I>>, staged: Q): Promise<Static<O>>;
}

/** An operation with its types erased, as registry, pipeline and doors see it. */
export interface Operation extends Omit<OperationSpec<TProperties, TSchema, unknown, unknown>, "input" | "output" | "prepare" | "plan" | "handle" | "examples" | "cache" | "stream"> {
  input: TObject;
  output: TSchema;
  examples: readonly { input: Record<string, unknown>; summary?: string }[];
  cache?: { key(input: unknown): string; subjects(input: unknown): readonly string[]; seconds: number };
  prepare?(context: PrepareContext, input: unknown): Promise<unknown>;
  stream?: StreamSpec<unknown, unknown>;
  plan?(prepared: unknown, input: unknown): unknown;
  handle(context: Context, input: unknown, staged: unknown): Promise<unknown>;
}

/** Declares a capability once; HTTP, OpenAPI, CLI, MCP and the docs are derived from it. */
export function operation<I extends TProperties, O extends TSchema, P = undefined, Q = P>(spec: OperationSpec<I, O, P, Q>): Operation {
  const { properties, required: _required, type: _type, ...rest } = spec.input as TObject & { required?: string[]; type: string };
  // Unknown fields are refused at the door: a misspelt option must not be ignored in silence.
  const input = Type.Object(properties, { ...rest, additionalProperties: false });
  return { ...spec, input } as unknown as Operation;
}

/** State of the event that an operation waited for. */
export const EventOutcome = Type.Object({
  id: Type.String({ description: "Event id" }),
  state: Type.Union([Type.Literal("handled"), Type.Literal("failed"), Type.Literal("pending")], {
    description: "`pending` and `failed` mean that the findings are not known yet; they never mean that there are none",
  }),
}, { description: "What became of the event that this change appended" });

/** Input fields of every list. */
export const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: "Most items to answer" })),
  cursor: Type.Optional(Type.String({ maxLength: 500, description: "`next` of the page before" })),
};

/** The answer of every list. */
export function Page<T extends TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), next: Type.Optional(Type.String({ description: "Cursor of the next page; absent on the last" })) });
}
