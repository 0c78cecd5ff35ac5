import { Type } from "typebox";
import { toTypeId } from "../../../platform/ids.ts";
import { ExportChanged, ExportMissing } from "../../../platform/events/index.ts";
import { fromCursor, numberKey, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { auditFilter, utcTimes } from "../schemas.ts";
import { toOcsf } from "../ocsf.ts";
import { entriesOf } from "../views.ts";

export const exportEvents = operation({
  id: "audit.export",
  http: "GET /api/v1/audit/export",
  cli: { name: "audit export", columns: ["metadata.sequence", "time", "metadata.event_code", "actor.user.uid"] },
  summary: "Export the audit log as OCSF events, oldest first",
  description: "Each item is an API Activity of OCSF 1.9. Keep the last `next` and go on from it later; qinfra audit export --all --output jsonl writes one event a line.",
  permission: "audit:read",
  effect: "read",
  input: Type.Object({ ...auditFilter, ...paging }),
  output: Page(Type.Record(Type.String(), Type.Unknown(), { description: "OCSF API Activity" })),
  examples: [{ input: { limit: 1000 } }],
  errors: [ExportMissing, ExportChanged],
  async prepare(context, { cursor, limit = 100, ...filter }) {
    const after = fromCursor(cursor, numberKey);
    return entriesOf(context, { ...utcTimes(filter), order: "oldest", limit: limit + 1, ...(after === undefined ? {} : { cursor: Number(after) }) });
  },
  async handle({ orgId }, { limit = 100 }, entries) {
    const page = pageOf(entries, limit, (entry) => String(entry.sequence));
    const org = toTypeId("org", orgId);
    return { ...page, items: page.items.map((entry) => toOcsf(entry, org, "0.1.0")) };
  },
});
