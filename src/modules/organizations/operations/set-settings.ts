import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail, InvalidInput } from "../../../platform/errors.ts";
import { operation, whyNotApprovable } from "../../../platform/operation/index.ts";
import { userOf } from "../caller.ts";
import { OrganizationNotFound, SettingsChanged } from "../errors.ts";
import { SettingsSet } from "../events.ts";
import { OrganizationOrCurrent, orgMeant, orgTypeId } from "../ids.ts";
import { currentSettings, insertSettings } from "../settings-store.ts";
import { Settings, SettingsVersion } from "../settings.ts";

const id = "organizations.set-settings";

export const setSettings = operation({
  id,
  http: "PUT /api/v1/organizations/{id}/settings",
  cli: { name: "organizations set-settings", positional: ["id", "version"] },
  summary: "Set the whole settings document of the organization that you work in",
  description: "Name the version that you read: where somebody else has changed them since, nothing is set. Every version is kept.",
  permission: "organizations:write",
  effect: "change",
  // Tenants never write the table of organizations.
  database: "system",
  input: Type.Object({ id: OrganizationOrCurrent, version: SettingsVersion, settings: Settings }),
  output: Type.Object({ version: SettingsVersion, settings: Settings }),
  errors: [OrganizationNotFound, SettingsChanged],
  examples: [{ input: { id: "current", version: 0, settings: { readOnly: false, requireApproval: [], secondFactor: { roles: [] } } } }],
  prepare: async ({ operations }) => operations,
  async handle(context, input, operations) {
    const { db, orgId } = context;
    if (orgMeant(input.id, orgId) !== orgId) fail(OrganizationNotFound, `${input.id} is not the organization that you work in.`);
    if (input.settings.requireApproval?.includes(id) === true) {
      fail(InvalidInput, `/settings/requireApproval: ${id} cannot need an approval, or nobody could take the setting back; leave it out.`);
    }
    for (const name of input.settings.requireApproval ?? []) {
      const asked = operations.get(name);
      const why = asked === undefined ? undefined : whyNotApprovable(asked);
      if (why !== undefined) fail(InvalidInput, `/settings/requireApproval: nobody can be asked to approve ${name}, because ${why}; leave it out. \`qinfra approvals rules\` lists what can be approved.`);
    }
    const version = (await currentSettings(db, orgId))?.version ?? 0;
    const next = { version: input.version + 1, settings: input.settings, by: userOf(context.actor), at: timestamp(context.clock) };
    if (version !== input.version || !(await insertSettings(db, orgId, next))) {
      fail(SettingsChanged, `Version ${input.version} is not the newest of the settings, so nothing was set. Read them again (\`qinfra organizations get-settings ${input.id}\`, or GET /api/v1/organizations/${input.id}/settings), repeat your change on what you read, and name the version that it says.`);
    }
    await context.events.append({ type: SettingsSet, subject: orgTypeId(orgId), data: { version: next.version } });
    return { version: next.version, settings: next.settings };
  },
});
