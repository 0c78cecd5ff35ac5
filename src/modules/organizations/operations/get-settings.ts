import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { OrganizationNotFound } from "../errors.ts";
import { OrganizationOrCurrent, orgMeant } from "../ids.ts";
import { currentSettings } from "../settings-store.ts";
import { Settings, SettingsVersion } from "../settings.ts";

export const getSettings = operation({
  id: "organizations.get-settings",
  http: "GET /api/v1/organizations/{id}/settings",
  cli: { name: "organizations get-settings", positional: ["id"] },
  summary: "Settings of the organization that you work in, and their version",
  permission: "organizations:read",
  effect: "read",
  input: Type.Object({ id: OrganizationOrCurrent }),
  output: Type.Object({ version: SettingsVersion, settings: Settings }),
  errors: [OrganizationNotFound],
  examples: [{ input: { id: "current" } }],
  async handle(context, input) {
    const found = await currentSettings(context.db, orgMeant(input.id, context.orgId));
    if (found === undefined) fail(OrganizationNotFound, `${input.id} is not the organization that you work in.`);
    return found;
  },
});
