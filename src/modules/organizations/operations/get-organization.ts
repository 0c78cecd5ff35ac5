import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { OrganizationNotFound } from "../errors.ts";
import { OrganizationOrCurrent, orgMeant } from "../ids.ts";
import { Organization } from "../schemas.ts";
import { showOrganization } from "../shown.ts";
import { organizationById } from "../views.ts";

export const getOrganization = operation({
  id: "organizations.get",
  http: "GET /api/v1/organizations/{id}",
  cli: { name: "organizations get", positional: ["id"] },
  summary: "The organization that you work in",
  permission: "organizations:read",
  effect: "read",
  input: Type.Object({ id: OrganizationOrCurrent }),
  output: Organization,
  errors: [OrganizationNotFound],
  examples: [{ input: { id: "current" } }],
  async handle(context, input) {
    const row = await organizationById(context.db, orgMeant(input.id, context.orgId));
    if (row === undefined) fail(OrganizationNotFound, `${input.id} is not the organization that you work in.`);
    return showOrganization(row);
  },
});
