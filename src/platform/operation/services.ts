import type { Readable } from "node:stream";
import type { Logger } from "pino";
import type { Actor } from "../actor.ts";
import type { Traces } from "../telemetry/traces.ts";
import type { Cache } from "../cache/types.ts";
import type { BlobStore } from "../blobs/types.ts";
import type { Clock } from "../clock.ts";
import type { Database, Db } from "../database/database.ts";
import type { Verification } from "../events/verify.ts";
import type { EventType } from "../events/declare.ts";
import type { LiveEvents } from "../events/live.ts";
import type { EventAppender, EventWaiter } from "../events/types.ts";
import type { HttpClient } from "../http-client/types.ts";
import type { Ids } from "../ids.ts";
import type { OrganizationPolicies, PolicyEngine } from "../policy/index.ts";
import type { Secrets } from "../secrets/types.ts";
import type { EligiblePersons } from "../approvals/decide.ts";
import type { Requester } from "../approvals/types.ts";
import type { Workflow, Workflows } from "../workflow/index.ts";
import type { Approved } from "./approval-gate.ts";
import type { Door, Operation, Progress } from "./operation.ts";
import type { Quotas } from "./quotas.ts";
import type { RateLimiter } from "./rate-limiter.ts";
import type { LoadShedder } from "./load.ts";
import type { Strangers } from "./strangers.ts";
import type { StreamSlots } from "./stream-slots.ts";
import type { Allowance } from "../limits/index.ts";

/** What a caller brings along at any door. */
export interface Credentials {
  /** Value of the Authorization header. */
  authorization?: string;
  /** Session cookie, and whether the request proved that our own page sent it. */
  cookie?: { session: string; csrf: boolean };
  /** TypeID of the organization, where the caller belongs to several. */
  organization?: string;
}

export interface Call {
  door: Door | "browser";
  requestId: string;
  credentials: Credentials;
  /** Address of the caller, for limits; `local` in process. */
  address: string;
  input: unknown;
  /** The input came as text (path, query), so that numbers and booleans are read from it. */
  fromText: boolean;
  body?: Readable;
  idempotencyKey?: string;
  /** W3C Trace Context of the caller. */
  traceparent?: string;
  signal: AbortSignal;
  progress?(progress: Progress): void;
  /** Set by the platform alone, where it runs what people approved. */
  approved?: Approved;
  /** Told how the caller stands with the rate limit, before the outcome is known. */
  allowance?(allowance: Allowance): void;
}

export interface Outcome {
  /** 202: it waits for people, and the output is an `ApprovalPending`. */
  status: 200 | 201 | 202;
  output: unknown;
  actor: Actor;
  /** Answered from an earlier call with the same idempotency key. */
  replayed: boolean;
  /** Of an answer that need not be the newest: how old it may be, in seconds. */
  staleSeconds?: number;
}

/** Who stands behind a credential; throws `Unauthenticated` for one that is wrong, answers anonymous where there is none. */
export type Authenticate = (credentials: Credentials, call: { door: Call["door"]; address: string }) => Promise<Actor>;

/** Where people sign in with a command line. */
export interface SignInOptions {
  issuers: readonly { issuer: string; label: string; clientId: string; local: boolean }[];
  /** Names and passwords are taken. */
  passwords: boolean;
}

/** A person as an ID token of a trusted issuer names them. */
export interface Identified {
  userId: string;
  /** `local` for the platform's own provider. */
  issuer: string;
  secondFactor: boolean;
  /** When the person last gave a second factor there, in milliseconds since 1970. */
  confirmedAt?: number;
  /** At the platform's own provider: when the person was asked, in milliseconds since 1970, or the session (UUID) that stood for them. */
  own?: { authenticatedAt: number; session?: string };
  /** What is remembered of the token, so that it is good once, and until when it need be, in milliseconds since 1970. */
  digest: Buffer;
  until: number;
}

/** Undefined for an ID token that is not accepted, or that means nobody here. */
export type Identify = (idToken: string) => Promise<Identified | undefined>;

/** What approvals need to know of modules. */
export interface Approvals {
  /** Waits for the decisions on a request, and runs what was approved. */
  follow: Workflow;
  eligible: EligiblePersons;
  /** UUID of the person who made the key: it serves them too. */
  makerOf(db: Db, orgId: string, keyId: string): Promise<string | undefined>;
  /** Who asked, with what they may do now; undefined for who is no member any more, and for a key that has ended. */
  actorOf(orgId: string, requester: Requester): Promise<Actor | undefined>;
}

export interface EventOrigin {
  orgId: string;
  actor: Actor;
  operation: string;
  requestId: string;
  door: string;
}

/** Everything that the pipeline needs of the platform; put together once, in app/. */
export interface Services {
  database: Database;
  policy: PolicyEngine;
  organizationPolicies: OrganizationPolicies;
  clock: Clock;
  ids: Ids;
  log: Logger;
  blobs: BlobStore;
  http: HttpClient;
  settings: { osvUrl: string; scanLocalAddresses: boolean; deletionGraceDays: number; signIn: SignInOptions };
  secrets: Pick<Secrets, "seal" | "open">;
  /** The permissions that operations ask for. */
  permissions: readonly string[];
  /** The types of events that modules declare. */
  eventTypes: readonly EventType[];
  live: LiveEvents;
  streams: StreamSlots;
  /** Where people reach the platform: an origin, without a path. */
  publicUrl: string;
  instance: number;
  authenticate: Authenticate;
  operations: ReadonlyMap<string, Operation>;
  approvals: Approvals;
  identify: Identify;
  cache: Pick<Cache, "through" | "invalidate">;
  limiter: RateLimiter;
  load: LoadShedder;
  strangers: Pick<Strangers, "note">;
  appender(db: Db, origin: EventOrigin): EventAppender;
  quotas(db: Db, orgId: string): Quotas;
  /** Workflows as seen from that transaction. */
  workflows(db: Db, origin: { orgId: string; starter: Actor }, events: EventAppender): Workflows;
  waiter: EventWaiter;
  /** Of one organization. */
  verifyLog(orgId: string, signal: AbortSignal, progress: (progress: Progress) => void): Promise<Verification>;
  compute<T>(task: string, data: unknown, signal?: AbortSignal): Promise<T>;
  settingsOf(orgId: string): Promise<Record<string, unknown>>;
  observe(call: { operation: Operation; door: string; status: number; seconds: number; trace?: { traceId: string; spanId: string } }): void;
  traces: Traces;
  /** UUID of the platform organization: changes without a tenant are in its log. */
  platformOrgId: string;
}
