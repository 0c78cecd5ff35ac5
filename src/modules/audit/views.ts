import type { Db } from "../../platform/database/database.ts";
import { readLog, type AuditEvent, type AuditQuery } from "../../platform/events/index.ts";
import type { AuditEntry } from "./schemas.ts";

/** The audit log is a view of the event log: this module has no tables. */
export async function entriesOf(db: Db, orgId: string, query: AuditQuery): Promise<AuditEntry[]> {
  return (await readLog(db, orgId, query)).map(toEntry);
}

function toEntry(event: AuditEvent): AuditEntry {
  return {
    sequence: event.orgSeq, id: event.id, time: event.time, type: event.type, subject: event.subject, actor: event.actor,
    operation: event.operation, door: event.door, ai: event.ai, requestId: event.requestId, data: event.data,
    hash: event.hash, chainHash: event.chainHash,
  };
}
