import type { Logger } from "pino";
import type { Database } from "../database/database.ts";
import { sql } from "../database/sql.ts";
import { createBell, type Line, type Timer } from "../events/index.ts";

export interface Change {
  orgId: string;
  subjects: string[];
}

const window = 5_000;
const pollMs = 1_000;

/**
 * Tells this server what changed on any server, from the sealed event log: some ten milliseconds after the commit, and
 * also while Redis is away. `behind` is true while the log could not be read, when nothing kept may be trusted.
 */
export function followChanges(
  { database, line, timer, log }: { database: Database; line: Line; timer: Timer; log: Logger },
  heard: (change: Change) => Promise<void>,
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
        position ??= await database.lookup(async (db) => (await db.one<{ position: number }>(sql`select position from events.head`)).position);
        const before: number = position;
        position = await read(before);
        behind = false;
        if (position === before) await bell.wait(pollMs, stopping.signal);
      } catch (error) {
        if (!behind && !stopping.signal.aborted) log.warn({ err: error }, "changes of other servers cannot be read; nothing is answered from the cache until they can");
        behind = true;
        await timer.sleep(pollMs, stopping.signal);
      }
    }
  }

  async function read(after: number): Promise<number> {
    const { top, changes } = await database.lookup((db) => db.one<{ top: number; changes: { org: string; subjects: string[] }[] | null }>(sql`
      select h.top, (
        select jsonb_agg(jsonb_build_object('org', o.org_id, 'subjects', o.subjects)) from (
          select org_id, array_agg(distinct subject) as subjects from events.log where position > ${after} and position <= h.top group by org_id
        ) o
      ) as changes
      from (select least(position, ${after}::bigint + ${window}::bigint) as top from events.head) h`));
    for (const { org, subjects } of changes ?? []) await heard({ orgId: org, subjects });
    return top;
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
