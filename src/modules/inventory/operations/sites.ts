import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import type { Db } from "../../../platform/database/database.ts";
import { fail } from "../../../platform/errors.ts";
import { toTypeId, uuidOf } from "../../../platform/ids.ts";
import { anyKey, fromCursor, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { SiteId, SiteName } from "../schemas.ts";
import { SiteLimit, SiteNameTaken, SiteNotFound } from "../errors.ts";
import { SiteCreated } from "../events.ts";
import { SiteDeleted, SiteUpdated } from "../site-events.ts";
import { accessFields, Site, SiteWithKnownHosts } from "../site-schemas.ts";
import { deleteSite as remove, insertSite, updateSite as update } from "../site-store.ts";
import { countSites, listSites as readSites, siteById } from "../site-views.ts";
import { checkKnownHosts } from "../sites/known-hosts.ts";
import { siteIdByName } from "../views.ts";

const mostSites = 10_000;
const example = { id: "sit_01jd0000000000000000000000" };

const access = {
  user: Type.Optional(accessFields.user), port: Type.Optional(accessFields.port),
  knownHosts: Type.Optional(accessFields.knownHosts), trustOnFirstUse: Type.Optional(accessFields.trustOnFirstUse),
};

export async function siteOf(db: Db, id: string): Promise<Awaited<ReturnType<typeof siteById>> & object> {
  const site = await siteById(db, uuidOf("sit", id));
  if (site === undefined) fail(SiteNotFound, `There is no site ${id} in this organization; qinfra sites list shows what there is.`);
  return site;
}

export const listSites = operation({
  id: "inventory.list-sites",
  http: "GET /api/v1/sites",
  cli: { name: "sites list", columns: ["id", "name", "assets", "hosts", "failed"] },
  summary: "List sites by name",
  permission: "assets:read",
  effect: "read",
  input: Type.Object(paging),
  output: Page(Site),
  examples: [{ input: {} }],
  async handle({ db }, { cursor, limit = 100 }) {
    const after = fromCursor(cursor, anyKey);
    return pageOf(await readSites(db, { limit: limit + 1, ...(after === undefined ? {} : { after }) }), limit, (site) => site.name);
  },
});

export const getSite = operation({
  id: "inventory.get-site",
  http: "GET /api/v1/sites/{id}",
  cli: { name: "sites get", positional: ["id"] },
  summary: "Show a site and how its hosts are reached",
  permission: "assets:read",
  effect: "read",
  input: Type.Object({ id: SiteId }),
  output: SiteWithKnownHosts,
  errors: [SiteNotFound],
  examples: [{ input: example }],
  handle: ({ db }, { id }) => siteOf(db, id),
});

export const createSite = operation({
  id: "inventory.create-site",
  http: "POST /api/v1/sites",
  cli: { name: "sites create", positional: ["name"] },
  summary: "Make a site",
  description: "To have it scanned from here, say as whom to sign in to its hosts, give the private key (`inventory.set-site-key`) and add the hosts (`inventory.add-site-hosts`).",
  permission: "assets:write",
  effect: "change",
  creates: true,
  input: Type.Object({ name: SiteName, ...access }),
  output: Site,
  errors: [SiteNameTaken, SiteLimit],
  examples: [{ input: { name: "frankfurt" } }, { summary: "One whose hosts are scanned over ssh", input: { name: "zurich", user: "qinfra", port: 22 } }],
  async handle({ db, orgId, ids, clock, events }, { name, ...how }) {
    checkKnownHosts(how.knownHosts ?? "");
    if ((await countSites(db)) >= mostSites) fail(SiteLimit, `The organization has ${mostSites} sites, and may have no more; delete one that is not used.`);
    const uuid = ids.uuid();
    if (!(await insertSite(db, { orgId, id: uuid, name, now: timestamp(clock), ...how }))) fail(SiteNameTaken, `There is a site ${name} already.`);
    const id = toTypeId("sit", uuid);
    await events.append({ type: SiteCreated, subject: id, data: {} });
    const { knownHosts: _, ...shown } = await siteOf(db, id);
    return shown;
  },
});

export const updateSite = operation({
  id: "inventory.update-site",
  http: "PATCH /api/v1/sites/{id}",
  cli: { name: "sites update", positional: ["id"] },
  summary: "Rename a site, or set how its hosts are reached",
  permission: "assets:write",
  effect: "change",
  input: Type.Object({ id: SiteId, name: Type.Optional(SiteName), ...access }),
  output: SiteWithKnownHosts,
  errors: [SiteNotFound, SiteNameTaken],
  examples: [{ input: { ...example, user: "qinfra", trustOnFirstUse: false } }],
  async handle({ db, events }, { id, ...changes }) {
    checkKnownHosts(changes.knownHosts ?? "");
    const uuid = uuidOf("sit", id);
    await siteOf(db, id);
    if (changes.name !== undefined) {
      const other = await siteIdByName(db, changes.name);
      if (other !== undefined && other !== uuid) fail(SiteNameTaken, `There is a site ${changes.name} already.`);
    }
    await update(db, uuid, changes);
    await events.append({ type: SiteUpdated, subject: id, data: {} });
    return siteOf(db, id);
  },
});

export const deleteSite = operation({
  id: "inventory.delete-site",
  http: "DELETE /api/v1/sites/{id}",
  cli: { name: "sites delete", positional: ["id"] },
  summary: "Delete a site, its key and its list of hosts",
  description: "Its assets stay, at no site. A schedule that scans it fails from then on; delete it, too. An AI actor needs an approval for this.",
  permission: "assets:delete",
  effect: "destructive",
  input: Type.Object({ id: SiteId }),
  output: Type.Object({ deleted: SiteId }),
  errors: [SiteNotFound],
  examples: [{ input: example }],
  prepare: ({ transaction }, { id }) => transaction((db) => siteOf(db, id)),
  plan: ({ id, name, hosts, assets }) => ({ delete: id, name, hosts, assets }),
  async handle({ db, events }, { id }) {
    if (!(await remove(db, uuidOf("sit", id)))) fail(SiteNotFound, `There is no site ${id} in this organization.`);
    await events.append({ type: SiteDeleted, subject: id, data: {} });
    return { deleted: id };
  },
});
