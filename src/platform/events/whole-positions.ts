import type { Database } from "../database/database.ts";
import { exportedBetween, type Archive } from "./archive.ts";
import { storedEvent } from "./cloud-event.ts";
import { readByPosition, type PositionPage } from "./read.ts";
import type { StoredEvent } from "./types.ts";

export interface WholePositionsPorts {
  database: Database;
  archive: Archive;
}

/**
 * As `readByPosition`, of all organizations, and retired events from their files. Nothing beyond `upTo`.
 * Errors: ExportMissing, ExportChanged.
 */
export async function readWholeByPosition(
  { database, archive }: WholePositionsPorts, after: number, { types, limit, upTo }: { types: readonly string[]; limit: number; upTo?: number },
): Promise<Omit<PositionPage, "more">> {
  // In this order: what is retired in between is then in both, and never in neither.
  const live = await database.lookup((db) => readByPosition(db, after, { types, limit }));
  const end = Math.max(after, Math.min(live.end, upTo ?? live.end));
  if (end === after) return { events: [], end };
  const found = new Map<number, StoredEvent>();
  const within = ({ position }: { position: number }): boolean => position > after && position <= end;
  for (const event of live.events) if (within(event)) found.set(event.position, event);
  for (const { org_id: orgId, ...part } of await database.lookup((db) => exportedBetween(db, after, end))) {
    for (const row of await archive.load(orgId, part)) {
      if (!within(row) || found.has(row.position)) continue;
      const event = storedEvent(row);
      if (types.includes(event.type)) found.set(event.position, event);
    }
  }
  return { events: [...found.values()].sort((a, b) => a.position - b.position), end };
}
