import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { SealedColumn } from "../../platform/secrets/sealed-column.ts";
import type { Failure } from "./sites/failures.ts";

export interface SiteAccess {
  user?: string;
  port?: number;
  knownHosts?: string;
  trustOnFirstUse?: boolean;
}

/** What the private key of a site is sealed for. */
export function siteKeyFor(orgId: string): { purpose: string; org: string } {
  return { purpose: "site-key", org: orgId };
}

/** False where the organization has a site of this name already. */
export async function insertSite(db: Db, site: SiteAccess & { orgId: string; id: string; name: string; now: string }): Promise<boolean> {
  const rows = await db.run(sql`
    insert into inventory.sites (org_id, id, name, ssh_user, ssh_port, known_hosts, trust_on_first_use, created_at)
    values (${site.orgId}, ${site.id}, ${site.name}, ${site.user ?? null}, ${site.port ?? 22}, ${site.knownHosts ?? ""}, ${site.trustOnFirstUse ?? false}, ${site.now})
    on conflict (org_id, name) do nothing`);
  return rows === 1;
}

export async function updateSite(db: Db, id: string, changes: SiteAccess & { name?: string }): Promise<boolean> {
  const rows = await db.run(sql`
    update inventory.sites set
      name = coalesce(${changes.name ?? null}, name),
      ssh_user = coalesce(${changes.user ?? null}, ssh_user),
      ssh_port = coalesce(${changes.port ?? null}, ssh_port),
      known_hosts = coalesce(${changes.knownHosts ?? null}, known_hosts),
      trust_on_first_use = coalesce(${changes.trustOnFirstUse ?? null}, trust_on_first_use)
    where id = ${id}`);
  return rows === 1;
}

export async function setSiteKey(db: Db, id: string, key: { sealed: string; fingerprint: string }): Promise<boolean> {
  return (await db.run(sql`update inventory.sites set private_key = ${key.sealed}, key_fingerprint = ${key.fingerprint} where id = ${id}`)) === 1;
}

/** Its hosts go with it; its assets stay, at no site. */
export async function deleteSite(db: Db, id: string): Promise<boolean> {
  await db.run(sql`update inventory.assets set site_id = null where site_id = ${id}`);
  return (await db.run(sql`delete from inventory.sites where id = ${id}`)) === 1;
}

/** Keeps others from adding hosts to the site meanwhile; false where it is gone. */
export async function lockSite(db: Db, id: string): Promise<boolean> {
  return (await db.maybe(sql`select id from inventory.sites where id = ${id} for update`)) !== undefined;
}

export interface NewHost {
  id: string;
  name: string;
  address: string;
  port: number | null;
  hostKey: string | null;
}

/** Adds hosts to a site, or brings those of these names there up to date; the names that another site has. */
export async function upsertHosts(db: Db, place: { orgId: string; siteId: string; now: string }, hosts: readonly NewHost[]): Promise<string[]> {
  const { orgId, siteId, now } = place;
  const names = hosts.map((host) => host.name);
  await db.run(sql`
    insert into inventory.site_hosts (org_id, id, site_id, name, address, ssh_port, host_key, created_at)
    select ${orgId}, h.id, ${siteId}, h.name, h.address, h.port, h.host_key, ${now}
    from unnest(${hosts.map((host) => host.id)}::uuid[], ${names}::text[], ${hosts.map((host) => host.address)}::text[], ${hosts.map((host) => host.port)}::integer[],
      ${hosts.map((host) => host.hostKey)}::text[]) as h(id, name, address, port, host_key)
    order by h.name
    on conflict (org_id, name) do update set address = excluded.address, ssh_port = excluded.ssh_port, host_key = coalesce(excluded.host_key, site_hosts.host_key)
      where site_hosts.site_id = excluded.site_id`);
  const rows = await db.many<{ name: string }>(sql`select name from inventory.site_hosts where name = any(${names}) and site_id <> ${siteId} order by name`);
  return rows.map((row) => row.name);
}

/** How many of these there were. Their assets stay. */
export async function deleteHosts(db: Db, siteId: string, names: readonly string[]): Promise<number> {
  return db.run(sql`delete from inventory.site_hosts where site_id = ${siteId} and name = any(${names})`);
}

export interface Tried {
  runId: string;
  now: string;
}

/** What a scan found: the host's asset, and its key where that was taken on first use. False where the host is gone. */
export async function hostRecorded(db: Db, id: string, { runId, now }: Tried, found: { assetId: string; hostKey?: string }): Promise<boolean> {
  const rows = await db.run(sql`
    update inventory.site_hosts set asset_id = ${found.assetId}, host_key = coalesce(host_key, ${found.hostKey ?? null}), run_id = ${runId}, tried_at = ${now},
      failure_code = null, failure = null
    where id = ${id}`);
  return rows === 1;
}

/** False where the host is gone. */
export async function hostFailed(db: Db, id: string, { runId, now }: Tried, { code, reason }: Failure): Promise<boolean> {
  return (await db.run(sql`update inventory.site_hosts set run_id = ${runId}, tried_at = ${now}, failure_code = ${code}, failure = ${reason} where id = ${id}`)) === 1;
}

/** Puts an asset that stands nowhere at the site. */
export async function placeAsset(db: Db, assetId: string, siteId: string): Promise<void> {
  await db.run(sql`update inventory.assets set site_id = ${siteId} where id = ${assetId} and site_id is null`);
}

const first = "00000000-0000-0000-0000-000000000000";

/** What this module keeps sealed. */
export const sealedColumns: readonly SealedColumn[] = [{
  column: "inventory.sites.private_key",
  replaces: "tenant",
  async page(db, after, limit) {
    const [org = first, id = first] = after ?? [];
    const rows = await db.many<{ org_id: string; id: string; private_key: string }>(sql`
      select org_id, id, private_key from inventory.sites
      where private_key is not null and (org_id, id) > (${org}::uuid, ${id}::uuid) order by org_id, id limit ${limit}`);
    return rows.map((row) => ({ key: [row.org_id, row.id], envelope: row.private_key, context: siteKeyFor(row.org_id) }));
  },
  replace: async (db, { key: [org, id], envelope: before }, envelope) =>
    (await db.run(sql`update inventory.sites set private_key = ${envelope} where org_id = ${org} and id = ${id} and private_key = ${before}`)) === 1,
}];
