import { Type } from "typebox";
import { operation, Page, paging } from "../../../platform/operation/index.ts";
import { pageOf, pageWith } from "../paging.ts";
import { Member } from "../schemas.ts";
import { showMember } from "../shown.ts";
import { membersOf } from "../views.ts";

export const listMembers = operation({
  id: "members.list",
  http: "GET /api/v1/members",
  cli: { name: "members list", columns: ["user", "name", "displayName", "role"] },
  summary: "Members of the organization and their roles",
  permission: "members:read",
  effect: "read",
  input: Type.Object({ ...paging }),
  output: Page(Member),
  examples: [{ input: {} }],
  async handle(context, input) {
    const page = pageOf("usr", input);
    const rows = await membersOf(context.db, context.orgId, page);
    return pageWith(rows.map(showMember), page.limit, (member) => member.user);
  },
});
