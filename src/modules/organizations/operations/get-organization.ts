import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { OrganizationNotFound } from "../errors.ts";
import { OrganizationId, orgUuid } from "../ids.ts";
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
  input: Type.Object({ id: OrganizationId }),
  output: Organization,
  errors: [OrganizationNotFound],
  examples: [{ input: { id: "org_01jd0000000000000000000000" } }],
  async handle(context, input) {
    const row = await organizationById(context.db, orgUuid(input.id));
    if (row === undefined) fail(OrganizationNotFound, `${input.id} is not the organization that you work in.`);
    return showOrganization(row);
  },
});
