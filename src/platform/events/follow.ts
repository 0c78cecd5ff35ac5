import type { Logger } from "pino";
import { sql } from "../database/sql.ts";
import type { Database } from "../database/database.ts";
import type { Line } from "./line.ts";
import { readByPosition } from "./read.ts";
import { createBell, type Timer } from "./timer.ts";
import type { StoredEvent } from "./types.ts";

export interface FollowPorts {
  database: Database;
  line: Line;
  timer: Timer;
  log: Logger;
}

/** Reads sealed events by position, one process at a time, and remembers how far it is under its name. */
export interface Follower {
  name: string;
  types?: readonly string[];
  /** Leave out what `events.handled` names. */
  skipHandled: boolean;
  /** Comes back when the event is done with; throws when it is to be tried again later from here. */
  take?(event: StoredEvent, lost: AbortSignal, sealedUpTo: number): Promise<void>;
  /** Before each page: what else is to be done under the same lock, so that nobody does it at the same time. */
  between?(lost: AbortSignal): Promise<void>;
  /** Instead of `take`, a page at once: all of it is done with, or all of it comes again. */
  takePage?(events: readonly StoredEvent[], lost: AbortSignal): Promise<void>;
}

const pageSize = 200;
const standbyMs = 1_000;
const pollMs = 250;
/** After a page that was not full: many commits one after the other make few pages. What comes after a rest is read at once. */
const gatherMs = 20;
/** So many pages without anything to do are passed before the checkpoint says so, unless nothing more comes. */
const passedPages = 50;

/** Runs until `stop` aborts, and then finishes the event in hand. Events are taken one after the other. */
export async function follow(ports: FollowPorts, follower: Follower, stop: AbortSignal): Promise<void> {
  const { database, line, timer, log } = ports;
  const bell = createBell(timer);
  const deaf = [line.on("events_sealed", () => bell.ring()), ...(follower.between === undefined ? [] : [line.on("events_redrive", () => bell.ring())])];
  while (!stop.aborted) {
    const hold = await line.tryLock(`events.follow ${follower.name}`);
    if (hold !== undefined) {
      const end = AbortSignal.any([stop, hold.lost]);
      await lead(end, hold.lost).catch((error: unknown) => {
        if (!stop.aborted) log.error({ err: error, follower: follower.name }, "reading the event log failed; it goes on from the last checkpoint");
      });
      await hold.release();
    }
    await timer.sleep(standbyMs, stop);
  }
  for (const end of deaf) end();

  async function lead(end: AbortSignal, lost: AbortSignal): Promise<void> {
    let position = await checkpointOf(database, follower.name);
    let saved = position;
    let passed = 0;

    async function save(): Promise<void> {
      if (position === saved || lost.aborted) return;
      await saveCheckpoint(database, follower.name, position);
      saved = position;
      passed = 0;
    }

    while (!end.aborted) {
      await follower.between?.(lost);
      if (end.aborted) return;
      const page = await database.lookup((db) => readByPosition(db, position, {
        limit: pageSize, ...(follower.types === undefined ? {} : { types: follower.types }), ...(follower.skipHandled ? { skipHandledBy: follower.name } : {}),
      }));
      const from = position;
      try {
        if (page.events.length > 0) await follower.takePage?.(page.events, lost);
        for (const event of follower.take === undefined ? [] : page.events) {
          if (end.aborted) return;
          await follower.take?.(event, lost, page.end);
          position = event.position;
        }
        position = page.end;
      } finally {
        if (page.events.length > 0 || (passed += 1) >= passedPages) await save();
      }
      if (page.more) continue;
      if (position > from) await timer.sleep(gatherMs, end);
      else if (!(await bell.wait(pollMs, end))) await save();
    }
  }
}

async function checkpointOf(database: Database, name: string): Promise<number> {
  return database.system(async (db) => {
    await db.run(sql`insert into events.subscriptions (name, position) values (${name}, 0) on conflict (name) do update set seen_at = now()`);
    return (await db.one<{ position: number }>(sql`select position from events.subscriptions where name = ${name}`)).position;
  });
}

/** Never moves back, so that a reader that lost its lock does no harm. */
async function saveCheckpoint(database: Database, name: string, position: number): Promise<void> {
  await database.system((db) => db.run(sql`update events.subscriptions set position = ${position}, seen_at = now() where name = ${name} and position < ${position}`));
}
