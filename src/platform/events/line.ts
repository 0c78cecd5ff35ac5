import type pg from "pg";
import type { Logger } from "pino";
import type { Database } from "../database/database.ts";
import type { Timer } from "./timer.ts";

/** A held lock. It ends with the connection that holds it: then `lost` aborts and somebody else may hold it already. */
export interface Hold {
  /** The line's connection; work done on it cannot outlive the lock. Who works on it needs a line of its own. */
  client: pg.Client;
  lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * A direct connection for LISTEN and advisory locks, opened on first use and again whenever it is lost. After a
 * reconnection every listener hears an empty payload, because notifications may have been missed.
 */
export interface Line {
  /** Hears the channel from now on; the answer ends it. */
  on(channel: Channel, heard: (payload: string) => void): () => void;
  /** Undefined while somebody holds the lock, in this process too, or while the database is away. */
  tryLock(name: string): Promise<Hold | undefined>;
  /** Sent soon; what gathers meanwhile goes in one statement, because each commit that notifies waits for the one before. */
  notify(channel: Channel, payload: string): void;
  close(): Promise<void>;
}

export type Channel = "events_appended" | "events_sealed" | "events_handled" | "organization_ended" | "workflows_asked" | "events_redrive";

interface Session {
  client: pg.Client;
  lost: AbortController;
  locks: Set<string>;
  /** One statement after the other. */
  ask<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
}

export function openLine(database: Database, options: { timer: Timer; log: Logger; reconnectMs?: number }): Line {
  const { timer, log, reconnectMs = 500 } = options;
  const closing = new AbortController();
  const listeners = new Map<Channel, Set<(payload: string) => void>>();
  let session: Promise<Session> | undefined;
  let everLost = false;
  const unsent: { channel: Channel; payload: string }[] = [];
  let sending = false;

  function tell(channel: string, payload: string): void {
    for (const heard of listeners.get(channel as Channel) ?? []) heard(payload);
  }

  async function connect(): Promise<Session> {
    const client = await database.direct();
    let last: Promise<unknown> = Promise.resolve();
    const made: Session = {
      client, lost: new AbortController(), locks: new Set(),
      ask<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
        const answer = last.then(async () => (await client.query<Row>(text, values)).rows);
        last = answer.catch(() => undefined);
        return answer;
      },
    };
    client.on("notification", (message) => tell(message.channel, message.payload ?? ""));
    client.on("error", (error) => log.warn({ err: error }, "direct database connection lost"));
    client.on("end", () => {
      made.lost.abort();
      session = undefined;
      everLost = true;
      if (!closing.signal.aborted) void reconnect();
    });
    for (const channel of listeners.keys()) await made.ask(`listen ${channel}`);
    if (everLost) for (const channel of listeners.keys()) tell(channel, "");
    return made;
  }

  function current(): Promise<Session> {
    if (closing.signal.aborted) return Promise.reject(new Error("the line is closed"));
    session ??= connect().catch((error: unknown) => {
      session = undefined;
      throw error;
    });
    return session;
  }

  async function reconnect(): Promise<void> {
    while (!closing.signal.aborted && listeners.size > 0) {
      await timer.sleep(reconnectMs, closing.signal);
      if (closing.signal.aborted || (await current().then(() => true, () => false))) return;
    }
  }

  async function send(): Promise<void> {
    sending = true;
    while (unsent.length > 0) {
      const now = unsent.splice(0);
      // Lost with the connection: the listeners poll as well.
      await current().then((made) => made.ask("select pg_notify(c, p) from unnest($1::text[], $2::text[]) as n(c, p)",
        [now.map((one) => one.channel), now.map((one) => one.payload)])).catch(() => undefined);
    }
    sending = false;
  }

  return {
    on(channel, heard) {
      const known = listeners.get(channel);
      const set = known ?? new Set();
      set.add(heard);
      if (known === undefined) {
        listeners.set(channel, set);
        // A session that is being made listens to all known channels by itself; LISTEN twice does no harm.
        void current().then((made) => made.ask(`listen ${channel}`)).catch(() => reconnect());
      }
      return () => void set.delete(heard);
    },
    async tryLock(name) {
      const made = await current().catch(() => undefined);
      if (made === undefined || made.lost.signal.aborted || made.locks.has(name)) return undefined;
      made.locks.add(name);
      // 64 bits of the name, so that two names do not share a lock.
      const [got] = await made.ask<{ got: boolean }>("select pg_try_advisory_lock(hashtextextended($1, 0)) as got", [name]).catch(() => []);
      if (got?.got !== true) {
        made.locks.delete(name);
        return undefined;
      }
      return {
        client: made.client,
        lost: made.lost.signal,
        async release() {
          made.locks.delete(name);
          if (!made.lost.signal.aborted) await made.ask("select pg_advisory_unlock(hashtextextended($1, 0))", [name]).catch(() => undefined);
        },
      };
    },
    notify(channel, payload) {
      unsent.push({ channel, payload });
      if (!sending) void send();
    },
    async close() {
      closing.abort();
      const made = await session?.catch(() => undefined);
      made?.lost.abort();
      await made?.client.end().catch(() => undefined);
    },
  };
}
