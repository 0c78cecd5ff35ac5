import { Type } from "typebox";
import { ExportChanged, ExportMissing } from "../../../platform/events/index.ts";
import { fromCursor, numberKey, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { AuditEntry, auditFilter, utcTimes } from "../schemas.ts";
import { entriesOf } from "../views.ts";

export const listEvents = operation({
  id: "audit.list",
  http: "GET /api/v1/audit/events",
  cli: { name: "audit list", columns: ["sequence", "time", "type", "subject", "actor", "door"] },
  summary: "List the audit log, newest first",
  description: "An event is in the log once it is sealed into the organization's chain, a moment after its change.",
  permission: "audit:read",
  effect: "read",
  input: Type.Object({ ...auditFilter, ...paging }),
  output: Page(AuditEntry),
  examples: [{ input: {} }, { summary: "What happened to images", input: { type: "images.registered" } }],
  errors: [ExportMissing, ExportChanged],
  async prepare(context, { cursor, limit = 100, ...filter }) {
    const before = fromCursor(cursor, numberKey);
    return entriesOf(context, { ...utcTimes(filter), limit: limit + 1, ...(before === undefined ? {} : { cursor: Number(before) }) });
  },
  async handle(_context, { limit = 100 }, entries) {
    return pageOf(entries, limit, (entry) => String(entry.sequence));
  },
});
