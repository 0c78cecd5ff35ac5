import type { Db } from "../database/database.ts";
import { exportedParts, type Archive } from "./archive.ts";
import type { ExportPart } from "./export.ts";
import { auditEvent, readLog, type AuditEvent, type AuditQuery } from "./read.ts";

export interface WholeLogPorts {
  /** A short transaction of the organization; files are read outside it. */
  transaction<T>(work: (db: Db) => Promise<T>): Promise<T>;
  archive: Archive;
}

/** As `readLog`, and retired events from their files. Errors: ExportMissing, ExportChanged. */
export async function readWholeLog({ transaction, archive }: WholeLogPorts, orgId: string, query: AuditQuery): Promise<AuditEvent[]> {
  const newest = (query.order ?? "newest") === "newest";
  const { live, parts } = await transaction(async (db) => {
    // In this order: what is retired in between is then in both, and never in neither.
    const live = await readLog(db, orgId, query);
    return { live, parts: await exportedParts(db, orgId, rangeOf(query, newest)) };
  });
  const ordered = newest ? parts.toSorted((a, b) => b.last_seq - a.last_seq) : parts;
  let found = live;
  for (const part of ordered) {
    if (found.length >= query.limit && isBeyond(part, found[query.limit - 1] as AuditEvent, newest)) break;
    const events = (await archive.load(orgId, part)).map(auditEvent).filter((event) => matches(event, query, newest));
    found = merged(found, events, newest).slice(0, query.limit);
  }
  return found;
}

function rangeOf({ cursor, from, to }: AuditQuery, newest: boolean): Parameters<typeof exportedParts>[2] {
  return {
    ...(cursor === undefined ? {} : newest ? { to: cursor - 1 } : { from: cursor + 1 }),
    ...(from === undefined ? {} : { since: from }), ...(to === undefined ? {} : { until: to }),
  };
}

/** No event of the file comes before the last one of the page. */
function isBeyond(part: ExportPart, last: AuditEvent, newest: boolean): boolean {
  return newest ? part.last_seq < last.orgSeq : part.first_seq > last.orgSeq;
}

function matches(event: AuditEvent, { type, subject, actor, from, to, cursor }: AuditQuery, newest: boolean): boolean {
  const at = Date.parse(event.time);
  if (type !== undefined && event.type !== type) return false;
  if (subject !== undefined && event.subject !== subject) return false;
  if (actor !== undefined && event.actor !== actor) return false;
  if (from !== undefined && at < Date.parse(from)) return false;
  if (to !== undefined && at >= Date.parse(to)) return false;
  return cursor === undefined || (newest ? event.orgSeq < cursor : event.orgSeq > cursor);
}

function merged(a: readonly AuditEvent[], b: readonly AuditEvent[], newest: boolean): AuditEvent[] {
  const bySeq = new Map([...a, ...b].map((event) => [event.orgSeq, event]));
  return [...bySeq.values()].sort((x, y) => (newest ? y.orgSeq - x.orgSeq : x.orgSeq - y.orgSeq));
}
