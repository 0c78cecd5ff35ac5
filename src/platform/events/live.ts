import type { Logger } from "pino";
import type { Database } from "../database/database.ts";
import type { Line } from "./line.ts";
import { readLive, sealedAfter, type LiveFilter, type LivePage } from "./live-read.ts";
import { createTail, type Tail } from "./live-tail.ts";
import { headPosition } from "./read.ts";
import { createBell, type Bell, type Timer } from "./timer.ts";

/** Events as they are sealed, for those who listen on this server. */
export interface LiveEvents {
  /**
   * Pages of what came after that number of the organization's log, in order, none left out and none twice; waits where
   * there is nothing. A page is read when it is asked for, so that who is slow holds none. A page without events tells how
   * far the filter has looked. Ends with the signal, or after a page that says that something is gone.
   */
  follow(orgId: string, after: number, filter: () => LiveFilter, signal: AbortSignal): AsyncGenerator<LivePage>;
  stop(): Promise<void>;
}

interface Channel {
  tail: Tail;
  bells: Set<Bell>;
  /** Resolves once a reading of the log that began with this channel in it is over: what is sealed later goes to the tail. */
  joined: Promise<void>;
  join(): void;
}

const pageEvents = 100;
const roundEvents = 500;
const pollMs = 1_000;
const lookAgainMs = 60_000;

/**
 * One reader of the log for all who listen on this server: it reads what is new of their organizations once and keeps
 * the newest for all of them. Who asks for what is older reads pages of the log. Without listeners nothing is read.
 */
export function startLive({ database, line, timer, log }: { database: Database; line: Line; timer: Timer; log: Logger }): LiveEvents {
  const stopping = new AbortController();
  const channels = new Map<string, Channel>();
  const bell = createBell(timer);
  const deaf = line.on("events_sealed", () => {
    if (channels.size > 0) bell.ring();
  });
  const running = run();

  async function run(): Promise<void> {
    let position: number | undefined;
    while (!stopping.signal.aborted) {
      if (channels.size === 0) {
        position = undefined;
        await bell.wait(lookAgainMs, stopping.signal);
        continue;
      }
      try {
        const more: number = await round(position ?? (await database.lookup(headPosition)));
        if (more === position) await bell.wait(pollMs, stopping.signal);
        position = more;
      } catch (error) {
        if (!stopping.signal.aborted) log.warn({ err: error }, "live updates wait: the event log cannot be read");
        await timer.sleep(pollMs, stopping.signal);
      }
    }
  }

  async function round(from: number): Promise<number> {
    const asked = new Map(channels);
    const { events, end } = await database.lookup((db) => sealedAfter(db, from, [...asked.keys()], roundEvents));
    for (const { orgId, ...event } of events) asked.get(orgId)?.tail.push(event);
    const rung = new Set(events.map(({ orgId }) => orgId));
    for (const [orgId, channel] of asked) {
      channel.join();
      if (rung.has(orgId)) for (const one of channel.bells) one.ring();
    }
    return end;
  }

  function channelOf(orgId: string): Channel {
    const known = channels.get(orgId);
    if (known !== undefined) return known;
    const { promise, resolve } = Promise.withResolvers<void>();
    const made: Channel = { tail: createTail(), bells: new Set(), joined: promise, join: resolve };
    channels.set(orgId, made);
    bell.ring();
    return made;
  }

  return {
    async *follow(orgId, after, filter, asked) {
      const signal = AbortSignal.any([asked, stopping.signal]);
      const own = createBell(timer);
      const channel = channelOf(orgId);
      channel.bells.add(own);
      try {
        await Promise.race([channel.joined, aborted(signal)]);
        let at = after;
        while (!signal.aborted) {
          const from = at;
          const page = channel.tail.after(from, filter(), pageEvents) ?? await database.read(orgId, (db) => readLive(db, orgId, from, filter(), pageEvents));
          if (page.gone) {
            yield page;
            return;
          }
          if (page.end > at) {
            at = page.end;
            yield page;
            continue;
          }
          await own.wait(lookAgainMs, signal);
        }
      } finally {
        channel.bells.delete(own);
        if (channel.bells.size === 0 && channels.get(orgId) === channel) channels.delete(orgId);
      }
    },
    async stop() {
      stopping.abort();
      deaf();
      await running;
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
