import { createArchive, readWholeLog, type AuditEvent, type AuditQuery } from "../../platform/events/index.ts";
import type { PrepareContext } from "../../platform/operation/index.ts";
import type { AuditEntry } from "./schemas.ts";

/** The audit log is a view of the event log: this module has no tables. What is retired is read from the blobs, so before `handle`. */
export async function entriesOf({ blobs, orgId, transaction }: Pick<PrepareContext, "blobs" | "orgId" | "transaction">, query: AuditQuery): Promise<AuditEntry[]> {
  return (await readWholeLog({ transaction, archive: createArchive(blobs) }, orgId, query)).map(toEntry);
}

function toEntry(event: AuditEvent): AuditEntry {
  return {
    sequence: event.orgSeq, id: event.id, time: event.time, type: event.type, subject: event.subject, actor: event.actor,
    operation: event.operation, door: event.door, ai: event.ai, requestId: event.requestId, data: event.data,
    hash: event.hash, chainHash: event.chainHash,
  };
}
