import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { toTypeId } from "../../../platform/ids.ts";
import { anyKey, fromCursor, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { SiteId, SiteName } from "../schemas.ts";
import { SiteNameTaken } from "../errors.ts";
import { SiteCreated } from "../events.ts";
import { insertSite } from "../store.ts";
import { listSites as readSites } from "../views.ts";

export const listSites = operation({
  id: "inventory.list-sites",
  http: "GET /api/v1/sites",
  cli: { name: "sites list", columns: ["id", "name", "assets"] },
  summary: "List sites by name",
  permission: "assets:read",
  effect: "read",
  input: Type.Object(paging),
  output: Page(Type.Object({ id: SiteId, name: SiteName, assets: Type.Integer({ description: "Number of assets at the site" }) })),
  examples: [{ input: {} }],
  async handle({ db }, { cursor, limit = 100 }) {
    const after = fromCursor(cursor, anyKey);
    return pageOf(await readSites(db, { limit: limit + 1, ...(after === undefined ? {} : { after }) }), limit, (site) => site.name);
  },
});

export const createSite = operation({
  id: "inventory.create-site",
  http: "POST /api/v1/sites",
  cli: { name: "sites create", positional: ["name"] },
  summary: "Make a site",
  permission: "assets:write",
  effect: "change",
  creates: true,
  input: Type.Object({ name: SiteName }),
  output: Type.Object({ id: SiteId, name: SiteName }),
  errors: [SiteNameTaken],
  examples: [{ input: { name: "frankfurt" } }],
  async handle({ db, orgId, ids, clock, events: log }, { name }) {
    const uuid = ids.uuid();
    if (!(await insertSite(db, { orgId, id: uuid, name, now: timestamp(clock) }))) fail(SiteNameTaken, `There is a site ${name} already.`);
    const id = toTypeId("sit", uuid);
    await log.append({ type: SiteCreated, subject: id, data: {} });
    return { id, name };
  },
});
