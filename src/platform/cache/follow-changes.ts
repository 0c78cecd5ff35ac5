import type { Logger } from "pino";
import type { Database } from "../database/database.ts";
import { changedAfter, createBell, headPosition, type Line, type SubjectsChanged, type Timer } from "../events/index.ts";

const pollMs = 1_000;

/**
 * Tells this server what changed on any server, from the sealed event log: some ten milliseconds after the commit, and
 * also while Redis is away. `behind` is true while the log could not be read, when nothing kept may be trusted.
 */
export function followChanges(
  { database, line, timer, log }: { database: Database; line: Line; timer: Timer; log: Logger },
  heard: (change: SubjectsChanged) => Promise<void>,
): { behind(): boolean; stop(): Promise<void> } {
  const stopping = new AbortController();
  const bell = createBell(timer);
  const deaf = line.on("events_sealed", () => bell.ring());
  let behind = true;
  const running = run();

  async function run(): Promise<void> {
    let position: number | undefined;
    while (!stopping.signal.aborted) {
      try {
        position ??= await database.lookup(headPosition);
        const before: number = position;
        const { end, changes } = await database.lookup((db) => changedAfter(db, before));
        for (const change of changes) await heard(change);
        position = end;
        behind = false;
        if (position === before) await bell.wait(pollMs, stopping.signal);
      } catch (error) {
        if (!behind && !stopping.signal.aborted) log.warn({ err: error }, "changes of other servers cannot be read; nothing is answered from the cache until they can");
        behind = true;
        await timer.sleep(pollMs, stopping.signal);
      }
    }
  }

  return {
    behind: () => behind,
    async stop() {
      stopping.abort();
      deaf();
      await running;
    },
  };
}
