import { sql } from "../database/sql.ts";
import type { Db } from "../database/database.ts";
import { timestamp, type Clock } from "../clock.ts";
import { DatabaseUnavailable, DeclaredError, NotFound, fail } from "../errors.ts";
import { storedEvent } from "./cloud-event.ts";
import { follow, type FollowPorts } from "./follow.ts";
import { backoffMs } from "./timer.ts";
import type { EventAppender, StoredEvent, Subscription } from "./types.ts";
import { handledPayload, type Waiter } from "./wait.ts";

export interface RunnerOptions extends FollowPorts {
  subscriptions: readonly Subscription[];
  clock: Clock;
  /** 0 to 1, for jitter. */
  random(): number;
  waiter: Waiter;
  /** Appender of what a subscriber itself appends; `cause` is the event that it handles. */
  appenderFor(db: Db, subscription: string, cause: StoredEvent): EventAppender;
  attempts?: number;
  baseMs?: number;
  /** Limit of one `prepare`. */
  prepareMs?: number;
}

export interface Runner {
  /** Handles a parked event once more; the parking is over when that succeeds. Errors: NotFound. */
  redrive(subscription: string, eventId: string): Promise<"handled" | "failed">;
  /** Finishes the events in hand and starts none; what takes longer than `graceMs` is cancelled and comes again. */
  stop(graceMs?: number): Promise<void>;
}

const unavailableMs = 1_000;
const keepHandledMs = 24 * 3_600_000;
const sweepMs = 3_600_000;

/**
 * One loop a subscription, events one after the other, of all organizations together: a subscriber that fails delays
 * the events behind it by its retries (under four seconds), then the event is parked.
 */
export function startSubscriptions(options: RunnerOptions): Runner {
  const { subscriptions, database, line, timer, log, clock, random, waiter, attempts = 5, baseMs = 250, prepareMs = 600_000 } = options;
  const stopping = new AbortController();
  const cancelling = new AbortController();

  async function prepare(subscription: Subscription, event: StoredEvent, within: AbortSignal): Promise<unknown> {
    return subscription.prepare?.(event, within);
  }

  async function handleOnce(subscription: Subscription, event: StoredEvent, signal: AbortSignal): Promise<void> {
    const prepared = subscription.prepare === undefined ? undefined : await bounded(signal, prepareMs, (within) => prepare(subscription, event, within));
    await database.tenant(event.orgId, async (db) => {
      // First, so that a second reader of the same event waits here for our commit and then finds it done.
      const first = await db.run(sql`insert into events.handled (subscription, event_id, org_id, at)
        values (${subscription.id}, ${event.id}, ${event.orgId}, ${timestamp(clock)}) on conflict do nothing`);
      if (first === 1) await subscription.handle({ db, events: options.appenderFor(db, subscription.id, event) }, event, prepared);
    });
  }

  async function take(subscription: Subscription, event: StoredEvent, lost: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([cancelling.signal, lost]);
    for (let attempt = 1; ; ) {
      try {
        await handleOnce(subscription, event, signal);
        return settled(subscription.id, event.id);
      } catch (error) {
        if (signal.aborted) throw error;
        const away = error instanceof DeclaredError && error.type === DatabaseUnavailable;
        log.warn({ err: error, subscription: subscription.id, event: event.id, attempt }, "a subscriber failed");
        if (!away && attempt === attempts) {
          await park(subscription.id, event, attempts, error);
          return settled(subscription.id, event.id);
        }
        await timer.sleep(away ? unavailableMs : backoffMs(attempt, baseMs, 60_000, random), AbortSignal.any([stopping.signal, lost]));
        if (stopping.signal.aborted || lost.aborted) throw error;
        if (!away) attempt += 1;
      }
    }
  }

  function settled(subscription: string, eventId: string): void {
    waiter.settled(eventId, subscription);
    line.notify("events_handled", handledPayload(eventId, subscription));
  }

  async function park(subscription: string, event: StoredEvent, tried: number, error: unknown): Promise<void> {
    const reason = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 1_000);
    await database.system((db) => db.run(sql`
      insert into events.dead_letters as d (subscription, event_id, org_id, position, attempts, reason, at)
      values (${subscription}, ${event.id}, ${event.orgId}, ${event.position}, ${tried}, ${reason}, ${timestamp(clock)})
      on conflict (subscription, event_id, org_id) do update set attempts = d.attempts + excluded.attempts, reason = excluded.reason, at = excluded.at`));
    log.error({ subscription, event: event.id, type: event.type, reason }, "an event was parked; see `dead_letters` and drive it again when the cause is gone");
  }

  async function sweep(): Promise<void> {
    while (!stopping.signal.aborted) {
      const before = new Date(clock.now() - keepHandledMs).toISOString();
      // Only what lies behind the checkpoint; the checkpoint itself says that it was handled.
      await database.system((db) => db.run(sql`
        delete from events.handled h where h.at < ${before} and exists (
          select 1 from events.subscriptions s where s.name = h.subscription
            and not exists (select 1 from events.log l where l.id = h.event_id and l.org_id = h.org_id and l.position > s.position)
        )`)).catch((error: unknown) => log.warn({ err: error }, "old marks of handled events could not be removed"));
      await timer.sleep(sweepMs, stopping.signal);
    }
  }

  /** Ends with the work, the time limit or the signal, whichever comes first. */
  async function bounded<T>(signal: AbortSignal, ms: number, work: (within: AbortSignal) => Promise<T>): Promise<T> {
    const within = new AbortController();
    const over = new AbortController();
    const cancel = (): void => within.abort(signal.reason);
    if (signal.aborted) cancel();
    signal.addEventListener("abort", cancel, { once: true });
    void timer.sleep(ms, over.signal).then(() => within.abort(new Error(`not prepared within ${ms} ms`)));
    try {
      return await Promise.race([work(within.signal), aborted(within.signal)]);
    } finally {
      signal.removeEventListener("abort", cancel);
      over.abort();
    }
  }

  const loops = [sweep(), ...subscriptions.map((subscription) => follow(options, {
    name: subscription.id, types: subscription.on, skipHandled: true, take: (event, lost) => take(subscription, event, lost),
  }, stopping.signal))];

  return {
    async redrive(id, eventId) {
      const subscription = subscriptions.find((one) => one.id === id);
      const row = await database.system((db) => db.maybe<{ position: number; body: string }>(sql`
        select l.position, l.body from events.dead_letters d join events.log l on l.id = d.event_id and l.org_id = d.org_id
        where d.subscription = ${id} and d.event_id = ${eventId}`));
      if (subscription === undefined || row === undefined) fail(NotFound, `No event ${eventId} is parked at subscription ${id}.`);
      const event = storedEvent(row);
      try {
        await handleOnce(subscription, event, cancelling.signal);
      } catch (error) {
        await park(id, event, 1, error);
        return "failed";
      }
      await database.system((db) => db.run(sql`delete from events.dead_letters where subscription = ${id} and event_id = ${eventId}`));
      settled(id, eventId);
      return "handled";
    },
    async stop(graceMs = 10_000) {
      stopping.abort();
      const done = new AbortController();
      const late = timer.sleep(graceMs, done.signal).then(() => cancelling.abort());
      await Promise.all(loops);
      done.abort();
      await late;
    },
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
