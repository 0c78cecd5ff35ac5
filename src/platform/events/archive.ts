import { join, sql, type Query } from "../database/sql.ts";
import type { Db } from "../database/database.ts";
import { BlobDamaged } from "../blobs/index.ts";
import { DeclaredError, errorType, fail } from "../errors.ts";
import type { CheckpointBlobs } from "./checkpoints.ts";
import { decodeExport, exportFault, sha256, type ExportedEvent, type ExportPart } from "./export.ts";

export const ExportMissing = errorType("event-export-missing", 503, "A file of the event log is missing");
export const ExportChanged = errorType("event-export-changed", 503, "A file of the event log was changed");

/** Reads files of retired events. The last few are kept, because those who read walk through them. */
export interface Archive {
  /** Errors: ExportMissing, ExportChanged. */
  load(orgId: string, part: ExportPart): Promise<readonly ExportedEvent[]>;
}

export function createArchive(blobs: Pick<CheckpointBlobs, "read">, mostKept = 3): Archive {
  const kept = new Map<string, readonly ExportedEvent[]>();
  return {
    async load(orgId, part) {
      const key = `${orgId} ${part.name} ${part.sha256.toString("hex")}`;
      const known = kept.get(key);
      if (known !== undefined) return known;
      const events = await read(blobs, orgId, part);
      kept.set(key, events);
      const oldest = kept.keys().next().value;
      if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest);
      return events;
    },
  };
}

const restore = "Bring it back from a backup of the blobs.";

async function read(blobs: Pick<CheckpointBlobs, "read">, orgId: string, part: ExportPart): Promise<readonly ExportedEvent[]> {
  const what = `The file ${part.name}, which holds events ${part.first_seq} to ${part.last_seq} of the log,`;
  const data = { name: part.name, firstSequence: part.first_seq };
  const changed = (how: string): never => fail(ExportChanged, `${what} is not what was written: ${how}. ${restore}`, data);
  const bytes = await blobs.read(orgId, part.name).catch((error: unknown) => {
    if (error instanceof DeclaredError && error.type.code === BlobDamaged.code) changed(error.message);
    throw error;
  });
  if (bytes === undefined) fail(ExportMissing, `${what} is missing. ${restore}`, data);
  if (!sha256(bytes).equals(part.sha256)) changed("its SHA-256 is another");
  const events = await decodeExport(bytes).catch(() => changed("it cannot be read"));
  const fault = exportFault(part, events);
  if (fault !== undefined) changed(fault);
  return events;
}

/** Files of retired events that can hold such a number, or events of such a time. By the number of their first event. */
export async function exportedParts(db: Db, orgId: string, range: { from?: number; to?: number; since?: string; until?: string } = {}): Promise<ExportPart[]> {
  const where: Query[] = [sql`org_id = ${orgId}`, sql`retired_at is not null`];
  if (range.from !== undefined) where.push(sql`last_seq >= ${range.from}`);
  if (range.to !== undefined) where.push(sql`first_seq <= ${range.to}`);
  if (range.since !== undefined) where.push(sql`last_time >= ${range.since}`);
  if (range.until !== undefined) where.push(sql`first_time < ${range.until}`);
  return db.many<ExportPart>(sql`
    select partition, part, name, events, first_seq, last_seq, sha256 from events.exports where ${join(where, " and ")} order by first_seq, part`);
}

/** Files of retired events of all organizations that can hold such a position: after the first, up to the second. */
export async function exportedBetween(db: Db, after: number, end: number): Promise<(ExportPart & { org_id: string })[]> {
  return db.many<ExportPart & { org_id: string }>(sql`
    select org_id, partition, part, name, events, first_seq, last_seq, sha256 from events.exports
    where retired_at is not null and last_position > ${after} and first_position <= ${end} order by first_position, org_id, part`);
}
