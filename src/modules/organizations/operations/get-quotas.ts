import { Type } from "typebox";
import { grants } from "../../../platform/actor.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { OrganizationNotFound } from "../errors.ts";
import { OrganizationOrCurrent, orgMeant } from "../ids.ts";
import { QuotaList } from "../schemas.ts";
import { organizationById } from "../views.ts";

export const getQuotas = operation({
  id: "organizations.get-quotas",
  http: "GET /api/v1/organizations/{id}/quotas",
  cli: { name: "organizations quotas", positional: ["id"], columns: ["resource", "used", "limit", "from"] },
  summary: "How much the organization uses of each quota",
  description: "Assets and images that there are, scans of this UTC day, and bytes in the blob store. Administrators of the platform may ask for any organization.",
  permission: "organizations:read",
  effect: "read",
  database: "system",
  input: Type.Object({ id: OrganizationOrCurrent }),
  output: QuotaList,
  errors: [OrganizationNotFound],
  examples: [{ input: { id: "current" } }],
  async handle({ db, actor, orgId, quotas }, input) {
    const id = orgMeant(input.id, orgId);
    const everywhere = actor.platform && grants(actor.permissions, "platform:organizations");
    if (id !== orgId && (!everywhere || (await organizationById(db, id)) === undefined)) {
      fail(OrganizationNotFound, `${input.id} is not the organization that you work in.`);
    }
    return { items: await quotas.list(id) };
  },
});
