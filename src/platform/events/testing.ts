import { randomBytes } from "node:crypto";
import type { Writable } from "node:stream";
import { pino, type Logger } from "pino";
import { Type } from "typebox";
import { systemClock } from "../clock.ts";
import type { Db } from "../database/database.ts";
import { sql } from "../database/sql.ts";
import { createIds } from "../ids.ts";
import { signerOf, verifierOf } from "../secrets/signing.ts";
import { testDatabase, type TestDatabase } from "../testing/database.ts";
import { appender, type AppendOrigin } from "./append.ts";
import { createCheckpointer, type CheckpointBlobs, type Checkpointer, type CheckpointKeys } from "./checkpoints.ts";
import type { EventType } from "./declare.ts";
import { openLine, type Line } from "./line.ts";
import { createPrivateBodies, type PrivateBodies } from "./private.ts";
import { readByPosition } from "./read.ts";
import { startSealer, type Sealer, type SealerOptions } from "./sealer.ts";
import { startSubscriptions, type Runner, type RunnerOptions } from "./subscriptions.ts";
import { systemTimer } from "./timer.ts";
import type { EventAppender, NewEvent, StoredEvent } from "./types.ts";
import { createWaiter, type Waiter } from "./wait.ts";

const types = new Map<string, EventType>();

/** A type that takes any data. */
export function anyType(type: string): EventType {
  let made = types.get(type);
  if (made === undefined) {
    made = { type, summary: "Something happened", permission: "tests:read", data: Type.Object({}, { additionalProperties: true }) };
    types.set(type, made);
  }
  return made;
}

/** An event of a test; the type is named and declares nothing. */
export type TestEvent = Partial<Omit<NewEvent, "type">> & { type?: string };

export function testEvent({ type = "tests.happened", ...event }: TestEvent): NewEvent {
  return { type: anyType(type), subject: "tst_1", data: {}, ...event };
}

/** A log of its own for an integration test, with everything that it opened closed at the end. */
export interface EventsFixture extends TestDatabase {
  orgId: string;
  otherOrgId: string;
  privateBodies: PrivateBodies;
  blobs: CheckpointBlobs & { files: Map<string, Uint8Array> };
  keys: CheckpointKeys;
  line(): Line;
  on(db: Db, orgId?: string, origin?: Partial<AppendOrigin>): EventAppender;
  /** One event in a transaction of its own; answers its id once it is committed. */
  append(event?: TestEvent, orgId?: string): Promise<string>;
  sealer(options?: Partial<SealerOptions>): Sealer;
  checkpointer(refused?: (orgId: string) => void): Checkpointer;
  waiter(): Waiter;
  runner(options: Pick<RunnerOptions, "subscriptions"> & Partial<RunnerOptions>): Runner;
  sealed(): Promise<StoredEvent[]>;
  /** Until so many events have a position. */
  sealedCount(count: number): Promise<StoredEvent[]>;
  /** Until the log has reached that position, wherever its events lie. */
  sealedUpTo(position: number): Promise<void>;
}

export const silent: Logger = pino({ level: "silent" });

/** Asks again until the answer is true; the test's own time limit ends it. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await systemTimer.sleep(5);
}

export async function eventsFixture(logTo?: Writable): Promise<EventsFixture> {
  const test = await testDatabase();
  const { database } = test;
  const log = logTo === undefined ? silent : pino(logTo);
  const ids = createIds(systemClock);
  const [orgId, otherOrgId] = [ids.uuid(), ids.uuid()];
  const signer = signerOf(randomBytes(32));
  const verifier = verifierOf(signer.keyId, signer.publicKey);
  const ends: (() => Promise<void>)[] = [];
  const files = new Map<string, Uint8Array>();
  const wrapped = new Map<string, Buffer>();
  const privateBodies = createPrivateBodies({
    async createDataKey() {
      const key = randomBytes(32);
      const name = randomBytes(8).toString("hex");
      wrapped.set(name, key);
      return { key, wrapped: name };
    },
    unwrap: async (name) => wrapped.get(name) ?? Promise.reject(new Error("no such key")),
  });

  function on(db: Db, org = orgId, origin: Partial<AppendOrigin> = {}): EventAppender {
    return appender(db, { orgId: org, actor: "system", operation: "test.append", requestId: "req_1", door: "http", ai: false, ...origin, clock: systemClock, ids, privateBodies });
  }

  function line(): Line {
    const made = openLine(database, { timer: systemTimer, log, reconnectMs: 20 });
    ends.push(() => made.close());
    return made;
  }

  const fixture: EventsFixture = {
    ...test, orgId, otherOrgId, privateBodies, line, on,
    blobs: { files, read: async (org, name) => files.get(`${org} ${name}`), write: async (org, name, bytes) => void files.set(`${org} ${name}`, bytes) },
    keys: { signer: () => signer, verifier: (keyId) => (keyId === signer.keyId ? verifier : undefined) },
    append: (event = {}, org = orgId) => database.tenant(org, (db) => on(db, org).append(testEvent(event))),
    sealer(options = {}) {
      const sealer = startSealer({ database, line: options.line ?? line(), clock: systemClock, timer: systemTimer, log, ...options });
      ends.push(() => sealer.stop());
      return sealer;
    },
    checkpointer: (refused) => createCheckpointer({ database, clock: systemClock, keys: fixture.keys, blobs: fixture.blobs, ...(refused === undefined ? {} : { refused }) }),
    waiter() {
      const waiter = createWaiter({ database, line: line(), timer: systemTimer });
      ends.push(async () => waiter.close());
      return waiter;
    },
    runner(options) {
      const runner = startSubscriptions({
        database, line: line(), clock: systemClock, timer: systemTimer, log, random: () => 0, waiter: options.waiter ?? fixture.waiter(), baseMs: 2, workflowsFor: () => undefined as never,
        appenderFor: (db, subscription, cause) => on(db, cause.orgId, { operation: subscription, door: "subscription", requestId: cause.requestId }), ...options,
      });
      ends.push(() => runner.stop());
      return runner;
    },
    sealed: async () => (await database.system((db) => readByPosition(db, 0, { limit: 5_000 }))).events,
    async sealedCount(count) {
      let events: StoredEvent[] = [];
      await until(async () => (events = await fixture.sealed()).length >= count);
      return events;
    },
    sealedUpTo: (position) => until(async () => (await database.system((db) => db.one<{ position: number }>(sql`select position from events.head`))).position >= position),
    async close() {
      for (const end of ends.reverse()) await end();
      await test.close();
    },
  };
  return fixture;
}

/** A transaction that is held open between its steps. */
export interface OpenTransaction {
  xid: bigint;
  append(event: TestEvent): Promise<string>;
  commit(): Promise<void>;
}

/** Takes its transaction id at once, as a change does that writes a row long before it appends. */
export async function openTransaction(log: EventsFixture): Promise<OpenTransaction> {
  const finish = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<{ db: Db; xid: bigint }>();
  const done = log.database.tenant(log.orgId, async (db) => {
    const { xid } = await db.one<{ xid: string }>(sql`select pg_current_xact_id()::text as xid`);
    begun.resolve({ db, xid: BigInt(xid) });
    await finish.promise;
  });
  done.catch(begun.reject);
  const { db, xid } = await begun.promise;
  return {
    xid,
    append: (event) => log.on(db).append(testEvent(event)),
    async commit() {
      finish.resolve();
      await done;
    },
  };
}
