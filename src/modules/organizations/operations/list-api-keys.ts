import { Type } from "typebox";
import { operation, Page, paging } from "../../../platform/operation/index.ts";
import { pageOf, pageWith } from "../paging.ts";
import { ApiKey } from "../schemas.ts";
import { showApiKey } from "../shown.ts";
import { apiKeysOf } from "../views.ts";

export const listApiKeys = operation({
  id: "api-keys.list",
  http: "GET /api/v1/api-keys",
  cli: { name: "api-keys list", columns: ["id", "name", "prefix", "state", "agent", "expiresAt", "lastUsedAt"] },
  summary: "API keys of the organization, without their secrets",
  permission: "api-keys:read",
  effect: "read",
  input: Type.Object({ ...paging }),
  output: Page(ApiKey),
  examples: [{ input: {} }],
  async handle(context, input) {
    const page = pageOf("key", input);
    const rows = await apiKeysOf(context.db, context.orgId, page);
    return pageWith(rows.map((row) => showApiKey(row, context.clock.now())), page.limit, (key) => key.id);
  },
});
