import { Type } from "typebox";
import { operation, Page, paging } from "../../../platform/operation/index.ts";
import { deletions, type DeletionRow } from "../deletion-views.ts";
import { OrganizationId, orgTypeId, UserId, userTypeId } from "../ids.ts";
import { pageOf, pageWith } from "../paging.ts";
import { Time } from "../schemas.ts";

const Count = Type.Integer({ minimum: 0 });

export const listDeletions = operation({
  id: "organizations.list-deletions",
  http: "GET /api/v1/organizations/deletions",
  cli: { name: "organizations deletions", columns: ["organization", "slug", "state", "dueAt", "rows"] },
  summary: "List the deletions of organizations, and how far each is",
  description: "`waiting` can be restored until it is due; `erasing` cannot any more; of `done` nothing is left but this and the platform's log.",
  permission: "platform:organizations",
  effect: "read",
  database: "system",
  input: Type.Object(paging),
  output: Page(Type.Object({
    organization: OrganizationId,
    slug: Type.String(),
    state: Type.Union([Type.Literal("waiting"), Type.Literal("restored"), Type.Literal("erasing"), Type.Literal("done")]),
    requestedBy: UserId,
    requestedAt: Time,
    dueAt: Time,
    rows: Type.Integer({ minimum: 0, description: "Rows that were removed so far" }),
    blobs: Count,
    people: Type.Integer({ minimum: 0, description: "People who were members of nothing else and were erased" }),
    finishedAt: Type.Optional(Time),
  })),
  examples: [{ input: {} }],
  async handle({ db }, input) {
    const page = pageOf("org", input);
    const rows = await deletions(db, page);
    return pageWith(rows.map(shown), page.limit, (deletion) => deletion.organization);
  },
});

function shown(row: DeletionRow) {
  return {
    organization: orgTypeId(row.organization), slug: row.slug, state: row.state, requestedBy: userTypeId(row.requested_by),
    requestedAt: row.requested_at.toISOString(), dueAt: row.due_at.toISOString(),
    rows: Object.values(row.progress.rows ?? {}).reduce((sum, count) => sum + count, 0), blobs: row.progress.blobs ?? 0, people: row.progress.people ?? 0,
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at.toISOString() }),
  };
}
