import type { Static, TObject } from "typebox";
import type { Db } from "../database/database.ts";
import type { Workflows } from "../workflow/types.ts";
import type { EventType } from "./declare.ts";

/** What a change appends. `data` holds ids, numbers and enumerated values only; words written by people go to `private`. */
export interface NewEvent<Data extends TObject = TObject> {
  type: EventType<Data>;
  /** The TypeID of what changed. The stream is the subject unless `stream` names another. */
  subject: string;
  stream?: string;
  /** UUID of the organization in whose log it goes, where an operation across tenants changes something of another one. */
  orgId?: string;
  /** The stream's version before this event; a mismatch is a conflict. Without it the event goes to the end. */
  expectedVersion?: number;
  data: Static<Data>;
  /** Personal or free text, encrypted with a key of that subject, so that erasing the person erases it. */
  private?: { subjectId: string; body: Record<string, unknown> };
}

/** A sealed event as subscribers and readers see it. */
export interface StoredEvent {
  /** UUIDv7. */
  id: string;
  orgId: string;
  /** Global position; readers go by it, never by id or time. */
  position: number;
  type: string;
  subject: string;
  stream: string;
  version: number;
  /** RFC 3339. */
  time: string;
  /** TypeID of the user or key that acted, or `system`. */
  actor: string;
  /** Operation that appended it, and the request it came in. */
  operation: string;
  requestId: string;
  /** By which the actor came: `http`, `cli`, `mcp`, `browser`, `subscription`, `workflow`. */
  door: string;
  ai: boolean;
  /** Of what it says about a person, which lies apart. */
  privateHash?: string;
  data: Record<string, unknown>;
}

/** Appends to the log in the transaction of the change; answers the event's id. */
export interface EventAppender {
  append<Data extends TObject>(event: NewEvent<Data>): Promise<string>;
}

/** What the handler of a subscription is given. Its database effect happens once. */
export interface SubscriptionContext {
  /** Tenant transaction of the event's organization. */
  db: Db;
  events: EventAppender;
  /** In the name of the system. */
  workflows: Workflows;
}

/**
 * A subscription between modules. `prepare` may take long and read in short transactions (it may run more than once);
 * `handle` writes the effect in the transaction that records the event as handled.
 */
export interface Subscription<Prepared = unknown> {
  /** `<module>.<what it does>`, stable: its checkpoint is kept under this name. */
  id: string;
  /** Event types. */
  on: readonly string[] | "all";
  /**
   * False for an event that it does nothing about, which then costs no transaction. Reads only. `sealedUpTo` is the position
   * up to which the events that follow were there already; it is missing where one is driven again.
   */
  concerns?(event: StoredEvent, sealedUpTo?: number): Promise<boolean>;
  prepare?(event: StoredEvent, signal: AbortSignal): Promise<Prepared>;
  handle(context: SubscriptionContext, event: StoredEvent, prepared: Prepared): Promise<void>;
}

/** What became of an event at one subscription; `pending` when the time limit came first. */
export type Handling = "handled" | "failed" | "pending";

export interface EventWaiter {
  wait(eventId: string, subscription: string, timeoutMs: number): Promise<Handling>;
}
