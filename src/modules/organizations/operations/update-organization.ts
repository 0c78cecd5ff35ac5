import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { OrganizationNotFound } from "../errors.ts";
import { OrganizationRenamed } from "../events.ts";
import { OrganizationOrCurrent, orgMeant, orgTypeId } from "../ids.ts";
import { OneLine, Organization } from "../schemas.ts";
import { showOrganization } from "../shown.ts";
import { renameOrganization } from "../store.ts";
import { organizationById } from "../views.ts";

export const updateOrganization = operation({
  id: "organizations.update",
  http: "PATCH /api/v1/organizations/{id}",
  cli: { name: "organizations update", positional: ["id"] },
  summary: "Rename the organization that you work in; its slug stays",
  permission: "organizations:write",
  effect: "change",
  // Tenants never write the table of organizations.
  database: "system",
  input: Type.Object({ id: OrganizationOrCurrent, name: OneLine }),
  output: Organization,
  errors: [OrganizationNotFound],
  examples: [{ input: { id: "current", name: "Example Holding" } }],
  async handle(context, input) {
    const { db, orgId } = context;
    const row = orgMeant(input.id, orgId) === orgId ? await organizationById(db, orgId) : undefined;
    if (row === undefined) fail(OrganizationNotFound, `${input.id} is not the organization that you work in.`);
    if (row.name === input.name) return showOrganization(row);
    await renameOrganization(db, orgId, input.name);
    await context.events.append({ type: OrganizationRenamed, subject: orgTypeId(orgId), data: {} });
    return showOrganization({ ...row, name: input.name });
  },
});
