import type { Logger } from "pino";
import type { Clock } from "../../platform/clock.ts";
import type { Database } from "../../platform/database/database.ts";
import { touch } from "./store.ts";

export interface UseNotes {
  /** Notes a use, when the last one on record (milliseconds since 1970) is a minute old. The request does not wait for it. */
  note(kind: "sessions" | "keys", id: string, lastUse: number | null): void;
  settled(): Promise<void>;
}

const intervalMs = 60_000;

/** Writes when sessions and keys were last used, at most once a minute each, many in one statement. */
export function createUseNotes(ports: { database: Database; clock: Clock; log: Logger }): UseNotes {
  const { database, clock, log } = ports;
  let waiting = { sessions: new Set<string>(), keys: new Set<string>() };
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (waiting.sessions.size + waiting.keys.size > 0) {
      const used = { sessions: [...waiting.sessions].sort(), keys: [...waiting.keys].sort() };
      waiting = { sessions: new Set(), keys: new Set() };
      const now = clock.now();
      const [at, before] = [now, now - intervalMs].map((time) => new Date(time).toISOString()) as [string, string];
      await database.system((db) => touch(db, { ...used, at, before })).catch((error: unknown) => log.warn({ err: error }, "the last use of credentials was not written"));
    }
    writing = undefined;
  }

  return {
    note(kind, id, lastUse) {
      if (lastUse !== null && lastUse >= clock.now() - intervalMs) return;
      waiting[kind].add(id);
      writing ??= Promise.resolve().then(write);
    },
    settled: () => writing ?? Promise.resolve(),
  };
}
