import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail, InvalidInput } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { anyKey, fromCursor, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { HostElsewhere, SiteFull, SiteNotFound } from "../errors.ts";
import { AssetName, SiteId } from "../schemas.ts";
import { SiteHostsAdded, SiteHostsRemoved } from "../site-events.ts";
import { HostInput, mostHosts, SiteHost } from "../site-schemas.ts";
import { deleteHosts, lockSite, upsertHosts } from "../site-store.ts";
import { countHosts, listHosts } from "../site-views.ts";
import { isNameOrAddress } from "../sites/addresses.ts";
import { siteOf } from "./sites.ts";

const example = { id: "sit_01jd0000000000000000000000" };

export const addSiteHosts = operation({
  id: "inventory.add-site-hosts",
  http: "POST /api/v1/sites/{id}/hosts",
  cli: { name: "sites hosts add", positional: ["id"] },
  summary: "Add hosts to a site, or change those of these names there",
  description: `A host belongs to one site, which has at most ${mostHosts.toLocaleString("en")}. A host key that is known stays where none is given.`,
  permission: "assets:write",
  effect: "change",
  input: Type.Object({ id: SiteId, hosts: Type.Array(HostInput, { minItems: 1, maxItems: 1_000, description: "Hosts, by name" }) }),
  output: Type.Object({ id: SiteId, hosts: Type.Integer({ description: "Hosts that the site has now" }) }),
  errors: [SiteNotFound, SiteFull, HostElsewhere],
  examples: [{ input: { ...example, hosts: [{ name: "web01.example.org" }, { name: "db01", address: "10.0.4.17", port: 2222 }] } }],
  async handle({ db, orgId, ids, clock, events }, { id, hosts }) {
    const siteId = uuidOf("sit", id);
    const twice = hosts.find(({ name }, i) => hosts.findIndex((other) => other.name === name) !== i);
    if (twice !== undefined) fail(InvalidInput, `/hosts: ${twice.name} is there twice.`);
    if (!(await lockSite(db, siteId))) fail(SiteNotFound, `There is no site ${id} in this organization; qinfra sites list shows what there is.`);
    const elsewhere = await upsertHosts(db, { orgId, siteId, now: timestamp(clock) }, hosts.map(({ name, address = name, port = null, hostKey }) => {
      if (!isNameOrAddress(address)) fail(InvalidInput, `/hosts: ${address} is no address; give one by address, and a port by port.`);
      return { id: ids.uuid(), name, address, port, hostKey: hostKey?.trim() ?? null };
    }));
    const [first, ...more] = elsewhere;
    if (first !== undefined) fail(HostElsewhere, more.length === 0 ? `${first} belongs to another site; remove it there first.` : `${first} and ${more.length} more belong to other sites; remove them there first.`);
    const count = await countHosts(db, siteId);
    if (count > mostHosts) fail(SiteFull, `The site would have ${count} hosts, and at most ${mostHosts} are scanned as one; make another site.`);
    await events.append({ type: SiteHostsAdded, subject: id, data: { hosts: hosts.length } });
    return { id, hosts: count };
  },
});

export const listSiteHosts = operation({
  id: "inventory.list-site-hosts",
  http: "GET /api/v1/sites/{id}/hosts",
  cli: { name: "sites hosts list", positional: ["id"], columns: ["name", "address", "asset", "triedAt", "failure.code", "failure.reason"] },
  summary: "List the hosts of a site by name, with what became of each in its last scan",
  permission: "assets:read",
  effect: "read",
  input: Type.Object({ id: SiteId, failed: Type.Optional(Type.Boolean({ description: "Only those whose last scan failed; false: only the others" })), ...paging }),
  output: Page(SiteHost),
  errors: [SiteNotFound],
  examples: [{ input: example }, { summary: "Those that could not be scanned", input: { ...example, failed: true } }],
  async handle({ db }, { id, failed, cursor, limit = 100 }) {
    const after = fromCursor(cursor, anyKey);
    await siteOf(db, id);
    const hosts = await listHosts(db, { siteId: uuidOf("sit", id), limit: limit + 1, ...(failed === undefined ? {} : { failed }), ...(after === undefined ? {} : { after }) });
    return pageOf(hosts, limit, (host) => host.name);
  },
});

export const removeSiteHosts = operation({
  id: "inventory.remove-site-hosts",
  http: "POST /api/v1/sites/{id}/hosts/remove",
  cli: { name: "sites hosts remove", positional: ["id", "names"] },
  summary: "Remove hosts from a site",
  description: "Their assets stay. Names that the site does not have are passed over. A key that was taken on first use is forgotten.",
  permission: "assets:write",
  effect: "change",
  input: Type.Object({ id: SiteId, names: Type.Array(AssetName, { minItems: 1, maxItems: 1_000, description: "Names of hosts" }) }),
  output: Type.Object({ id: SiteId, removed: Type.Integer({ description: "How many of them there were" }), hosts: Type.Integer({ description: "Hosts that the site has now" }) }),
  errors: [SiteNotFound],
  examples: [{ input: { ...example, names: ["web01.example.org"] } }],
  async handle({ db, events }, { id, names }) {
    const siteId = uuidOf("sit", id);
    if (!(await lockSite(db, siteId))) fail(SiteNotFound, `There is no site ${id} in this organization; qinfra sites list shows what there is.`);
    const removed = await deleteHosts(db, siteId, names);
    if (removed > 0) await events.append({ type: SiteHostsRemoved, subject: id, data: { hosts: removed } });
    return { id, removed, hosts: await countHosts(db, siteId) };
  },
});
