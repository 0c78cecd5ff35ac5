import { Type } from "typebox";
import { operation, Page, paging } from "../../../platform/operation/index.ts";
import { pageOf, pageWith } from "../paging.ts";
import { ServiceAccount } from "../schemas.ts";
import { serviceAccountsOf } from "../service-account-store.ts";
import { showServiceAccount } from "../shown.ts";

export const listServiceAccounts = operation({
  id: "service-accounts.list",
  http: "GET /api/v1/service-accounts",
  cli: { name: "service-accounts list", columns: ["id", "name", "role", "disabled", "createdAt"] },
  summary: "Service accounts of the organization and their roles",
  permission: "members:read",
  effect: "read",
  input: Type.Object({ ...paging }),
  output: Page(ServiceAccount),
  examples: [{ input: {} }],
  async handle(context, input) {
    const page = pageOf("usr", input);
    const rows = await serviceAccountsOf(context.db, context.orgId, page);
    return pageWith(rows.map(showServiceAccount), page.limit, (account) => account.id);
  },
});
