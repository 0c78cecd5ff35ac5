import { Type } from "typebox";
import { fail, InvalidInput } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { quotaResources, type QuotaResource } from "../../../platform/operation/quotas.ts";
import { eventOf } from "../caller.ts";
import { OrganizationNotFound } from "../errors.ts";
import { QuotasSet } from "../events.ts";
import { OrganizationOrCurrent, orgMeant, orgTypeId } from "../ids.ts";
import { clearQuota, setQuota } from "../quota-store.ts";
import { QuotaList, QuotaResourceName } from "../schemas.ts";
import { organizationById } from "../views.ts";

function limit(what: string) {
  return Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()], { description: `${what}; null is no limit` }));
}

export const setQuotas = operation({
  id: "organizations.set-quotas",
  http: "PUT /api/v1/organizations/{id}/quotas",
  cli: { name: "organizations set-quotas", positional: ["id"], columns: ["resource", "used", "limit", "from"] },
  summary: "Set how much an organization may have",
  description: "What is not named stays as it is. A limit below what is used takes nothing away; it refuses more.",
  permission: "platform:organizations",
  effect: "change",
  database: "system",
  input: Type.Object({
    id: OrganizationOrCurrent,
    assets: limit("Most assets"),
    images: limit("Most golden images"),
    scans: limit("Most scans in a UTC day"),
    storage: limit("Most bytes in the blob store"),
    reset: Type.Optional(Type.Array(QuotaResourceName, { maxItems: quotaResources.length, uniqueItems: true, description: "Quotas for which the platform's default counts again" })),
  }),
  output: QuotaList,
  errors: [OrganizationNotFound],
  examples: [{ summary: "A hundred assets, and as many images as there are", input: { id: "org_01jd0000000000000000000000", assets: 100, images: null, reset: ["storage"] } }],
  async handle({ db, orgId, quotas, events }, input) {
    const id = orgMeant(input.id, orgId);
    const reset = input.reset ?? [];
    const set = quotaResources.flatMap((resource): [QuotaResource, number | null][] => (input[resource] === undefined ? [] : [[resource, input[resource]]]));
    const both = set.find(([resource]) => reset.includes(resource));
    if (both !== undefined) fail(InvalidInput, `/reset: ${both[0]} is given a limit as well; name it once.`);
    if ((await organizationById(db, id)) === undefined) fail(OrganizationNotFound, `There is no organization ${input.id}.`);
    for (const [resource, most] of set) await setQuota(db, { orgId: id, resource, most });
    for (const resource of reset) await clearQuota(db, id, resource);
    if (set.length + reset.length > 0) {
      const event = { type: QuotasSet, subject: orgTypeId(id), data: { limits: Object.fromEntries(set), reset } };
      await events.append(eventOf(id, event));
      if (id !== orgId) await events.append(event);
    }
    return { items: await quotas.list(id) };
  },
});
