import type { AuditEntry } from "./schemas.ts";

const activities: Record<string, { id: number; name: string }> = {
  create: { id: 1, name: "Create" }, read: { id: 2, name: "Read" }, update: { id: 3, name: "Update" }, delete: { id: 4, name: "Delete" }, other: { id: 99, name: "Other" },
};

/** Last word of an event's type, which is a past participle, to the activity of OCSF. */
function activityOf(type: string): { id: number; name: string } {
  if (/(created|registered|added|recorded|imported|published)$/.test(type)) return activities["create"] as { id: number; name: string };
  if (/(deleted|removed|revoked|ended)$/.test(type)) return activities["delete"] as { id: number; name: string };
  if (/(updated|tagged|set|changed|matched)$/.test(type)) return activities["update"] as { id: number; name: string };
  return activities["other"] as { id: number; name: string };
}

/** An event as OCSF 1.9 API Activity (class 6003, category 6): https://schema.ocsf.io/1.9.0/classes/api_activity */
export function toOcsf(entry: AuditEntry, orgId: string, productVersion: string): Record<string, unknown> {
  const activity = activityOf(entry.type);
  return {
    activity_id: activity.id,
    activity_name: activity.name,
    category_uid: 6,
    category_name: "Application Activity",
    class_uid: 6003,
    class_name: "API Activity",
    type_uid: 600_300 + activity.id,
    time: Date.parse(entry.time),
    severity_id: 1,
    severity: "Informational",
    status_id: 1,
    status: "Success",
    metadata: {
      version: "1.9.0", uid: entry.id, sequence: entry.sequence, log_name: "qinfra audit", event_code: entry.type,
      product: { name: "QL-RF", vendor_name: "QuantumLayer", version: productVersion },
    },
    actor: { user: { uid: entry.actor, type_id: entry.actor.startsWith("usr_") ? 1 : entry.actor === "system" ? 3 : 4, org: { uid: orgId } } },
    api: { operation: entry.operation, request: { uid: entry.requestId } },
    resources: [{ uid: entry.subject, type: entry.subject.slice(0, Math.max(0, entry.subject.indexOf("_"))) }],
    src_endpoint: { name: entry.door },
    unmapped: { ai: entry.ai, data: entry.data, hash: entry.hash, chain_hash: entry.chainHash },
  };
}
