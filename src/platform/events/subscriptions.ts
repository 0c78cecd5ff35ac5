import { sql } from "../database/sql.ts";
import type { Db } from "../database/database.ts";
import { timestamp, type Clock } from "../clock.ts";
import { DatabaseUnavailable, DeclaredError } from "../errors.ts";
import { askedEvents, park, unpark } from "./dead-letters.ts";
import { follow, type FollowPorts } from "./follow.ts";
import { backoffMs } from "./timer.ts";
import type { EventAppender, StoredEvent, Subscription } from "./types.ts";
import type { Workflows } from "../workflow/types.ts";
import { handledPayload, type Waiter } from "./wait.ts";

export interface RunnerOptions extends FollowPorts {
  subscriptions: readonly Subscription[];
  clock: Clock;
  /** 0 to 1, for jitter. */
  random(): number;
  waiter: Waiter;
  /** Appender of what a subscriber itself appends; `cause` is the event that it handles. */
  appenderFor(db: Db, subscription: string, cause: StoredEvent): EventAppender;
  /** Workflows as seen from that transaction. */
  workflowsFor(db: Db, orgId: string, events: EventAppender): Workflows;
  attempts?: number;
  baseMs?: number;
  /** Limit of one `prepare`. */
  prepareMs?: number;
}

export interface Runner {
  /** Finishes the events in hand and starts none; what takes longer than `graceMs` is cancelled and comes again. */
  stop(graceMs?: number): Promise<void>;
}

const unavailableMs = 1_000;
const keepHandledMs = 24 * 3_600_000;
const sweepMs = 3_600_000;
/** How long an asked re-drive waits at most where its notification was lost. */
const redriveMs = 30_000;
const redriveAtOnce = 100;

/**
 * One loop a subscription, events one after the other, of all organizations together: a subscriber that fails delays
 * the events behind it by its retries (under four seconds), then the event is parked.
 */
export function startSubscriptions(options: RunnerOptions): Runner {
  const { subscriptions, database, line, timer, log, clock, random, waiter, attempts = 5, baseMs = 250, prepareMs = 600_000 } = options;
  const stopping = new AbortController();
  const cancelling = new AbortController();
  const deaf: (() => void)[] = [];

  async function prepare(subscription: Subscription, event: StoredEvent, within: AbortSignal): Promise<unknown> {
    return subscription.prepare?.(event, within);
  }

  async function handleOnce(subscription: Subscription, event: StoredEvent, signal: AbortSignal): Promise<void> {
    const prepared = subscription.prepare === undefined ? undefined : await bounded(signal, prepareMs, (within) => prepare(subscription, event, within));
    await database.tenant(event.orgId, async (db) => {
      // First, so that a second reader of the same event waits here for our commit and then finds it done.
      const first = await db.run(sql`insert into events.handled (subscription, event_id, org_id, at)
        values (${subscription.id}, ${event.id}, ${event.orgId}, ${timestamp(clock)}) on conflict do nothing`);
      if (first !== 1) return;
      const events = options.appenderFor(db, subscription.id, event);
      await subscription.handle({ db, events, workflows: options.workflowsFor(db, event.orgId, events) }, event, prepared);
    });
  }

  async function take(subscription: Subscription, event: StoredEvent, lost: AbortSignal, sealedUpTo: number): Promise<void> {
    const signal = AbortSignal.any([cancelling.signal, lost]);
    for (let attempt = 1; ; ) {
      try {
        if (subscription.concerns !== undefined && !(await subscription.concerns(event, sealedUpTo))) return;
        await handleOnce(subscription, event, signal);
        return settled(subscription.id, event.id);
      } catch (error) {
        if (signal.aborted) throw error;
        const away = error instanceof DeclaredError && error.type === DatabaseUnavailable;
        log.warn({ err: error, subscription: subscription.id, event: event.id, attempt }, "a subscriber failed");
        if (!away && attempt === attempts) {
          await giveUp(subscription.id, event, attempts, error);
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

  async function giveUp(subscription: string, event: StoredEvent, tried: number, error: unknown): Promise<void> {
    const reason = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 1_000);
    await park(database, subscription, event, { attempts: tried, reason, at: timestamp(clock) });
    log.error({ subscription, event: event.id, type: event.type, reason }, "an event was parked; see `qinfra events dead-letters`, and drive it again when the cause is gone");
  }

  /**
   * Parked events that somebody wants handled once more, by position, one attempt each. They come after whatever was
   * handled since, and never beside another event of the subscription.
   */
  function redriver(subscription: Subscription): (lost: AbortSignal) => Promise<void> {
    let asked = true;
    let looked = 0;
    deaf.push(line.on("events_redrive", () => void (asked = true)));
    return async (lost) => {
      if (!asked && clock.now() - looked < redriveMs) return;
      asked = false;
      looked = clock.now();
      const signal = AbortSignal.any([cancelling.signal, lost]);
      await redriveAll(subscription, lost, signal).catch((error: unknown) => {
        asked = true;
        throw error;
      });
    };
  }

  async function redriveAll(subscription: Subscription, lost: AbortSignal, signal: AbortSignal): Promise<void> {
    for (;;) {
      const events = await askedEvents(database, subscription.id, redriveAtOnce);
      for (const event of events) {
        if (stopping.signal.aborted || lost.aborted) return;
        await redrive(subscription, event, signal);
      }
      if (events.length < redriveAtOnce) return;
    }
  }

  async function redrive(subscription: Subscription, event: StoredEvent, signal: AbortSignal): Promise<void> {
    try {
      if (subscription.concerns === undefined || (await subscription.concerns(event))) await handleOnce(subscription, event, signal);
    } catch (error) {
      // Neither says anything of the event: it stays asked for.
      if (signal.aborted || (error instanceof DeclaredError && error.type === DatabaseUnavailable)) throw error;
      return giveUp(subscription.id, event, 1, error);
    }
    await unpark(database, subscription.id, event);
    log.info({ subscription: subscription.id, event: event.id, type: event.type }, "a parked event was handled");
    settled(subscription.id, event.id);
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
    name: subscription.id, ...(subscription.on === "all" ? {} : { types: subscription.on }), skipHandled: true, take: (event, lost, sealedUpTo) => take(subscription, event, lost, sealedUpTo), between: redriver(subscription),
  }, stopping.signal))];

  return {
    async stop(graceMs = 10_000) {
      stopping.abort();
      const done = new AbortController();
      const late = timer.sleep(graceMs, done.signal).then(() => cancelling.abort());
      await Promise.all(loops);
      for (const end of deaf) end();
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
