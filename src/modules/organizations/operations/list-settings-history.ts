import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { fromCursor, numberKey, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { OrganizationNotFound } from "../errors.ts";
import { OrganizationOrCurrent, orgMeant, UserId, userTypeId } from "../ids.ts";
import { Time } from "../schemas.ts";
import { settingsHistory } from "../settings-store.ts";
import { Settings, SettingsVersion } from "../settings.ts";

export const listSettingsHistory = operation({
  id: "organizations.list-settings-history",
  http: "GET /api/v1/organizations/{id}/settings/history",
  cli: { name: "organizations list-settings-history", positional: ["id"], columns: ["version", "changedBy", "changedAt"] },
  summary: "Every version of the organization's settings, the newest first",
  permission: "organizations:read",
  effect: "read",
  input: Type.Object({ id: OrganizationOrCurrent, ...paging }),
  output: Page(Type.Object({ version: SettingsVersion, settings: Settings, changedBy: UserId, changedAt: Time })),
  errors: [OrganizationNotFound],
  examples: [{ input: { id: "current" } }],
  async handle(context, input) {
    if (orgMeant(input.id, context.orgId) !== context.orgId) fail(OrganizationNotFound, `${input.id} is not the organization that you work in.`);
    const limit = input.limit ?? 100;
    const before = fromCursor(input.cursor, numberKey);
    const rows = await settingsHistory(context.db, context.orgId, { before: before === undefined ? null : Number(before), limit: limit + 1 });
    const items = rows.map((row) => ({ version: row.version, settings: row.settings, changedBy: userTypeId(row.changed_by), changedAt: row.changed_at.toISOString() }));
    return pageOf(items, limit, (item) => String(item.version));
  },
});
