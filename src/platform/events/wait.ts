import { sql } from "../database/sql.ts";
import type { Database } from "../database/database.ts";
import type { Line } from "./line.ts";
import { createBell, type Bell, type Timer } from "./timer.ts";
import type { EventWaiter, Handling } from "./types.ts";

/** Waiting for subscriptions, in this process and, through NOTIFY, in others. */
export interface Waiter extends EventWaiter {
  /** Told by the runner of this process; wakes those who wait here. */
  settled(eventId: string, subscription: string): void;
  close(): void;
}

const pollMs = 500; // when a notification was missed

export function createWaiter({ database, line, timer }: { database: Database; line: Line; timer: Timer }): Waiter {
  const waiting = new Map<string, Set<Bell>>();
  const deaf = line.on("events_handled", (payload) => {
    if (payload === "") for (const bells of waiting.values()) ring(bells);
    else ring(waiting.get(payload));
  });

  function ring(bells: Set<Bell> | undefined): void {
    for (const bell of bells ?? []) bell.ring();
  }

  return {
    async wait(eventId, subscription, timeoutMs) {
      const key = handledPayload(eventId, subscription);
      const bell = createBell(timer);
      const bells = waiting.get(key) ?? new Set();
      waiting.set(key, bells.add(bell));
      const late = new AbortController();
      void timer.sleep(timeoutMs, late.signal).then(() => late.abort());
      try {
        for (;;) {
          const state = await handlingOf(database, eventId, subscription);
          if (state !== "pending" || late.signal.aborted) return state;
          await bell.wait(pollMs, late.signal);
        }
      } finally {
        late.abort();
        bells.delete(bell);
        if (bells.size === 0) waiting.delete(key);
      }
    },
    settled: (eventId, subscription) => ring(waiting.get(handledPayload(eventId, subscription))),
    close: deaf,
  };
}

export const handledPayload = (eventId: string, subscription: string): string => `${eventId} ${subscription}`;

/** From the database: an event behind the subscription's checkpoint that is not parked was handled, or is not for it. */
export async function handlingOf(database: Database, eventId: string, subscription: string): Promise<Handling> {
  const row = await database.system((db) => db.one<{ state: Handling }>(sql`
    select case
      when exists (select 1 from events.handled where subscription = ${subscription} and event_id = ${eventId}) then 'handled'
      when exists (select 1 from events.dead_letters where subscription = ${subscription} and event_id = ${eventId}) then 'failed'
      when exists (
        select 1 from events.log l join events.subscriptions s on s.position >= l.position where l.id = ${eventId} and s.name = ${subscription}
      ) then 'handled'
      else 'pending' end as state`));
  return row.state;
}
