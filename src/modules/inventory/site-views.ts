import type { Db } from "../../platform/database/database.ts";
import { join, none, sql } from "../../platform/database/sql.ts";
import { toTypeId } from "../../platform/ids.ts";
import type { FailureCode } from "./sites/failures.ts";
import { hostTypeId, type Site, type SiteHost } from "./site-schemas.ts";

interface SiteRow {
  id: string;
  name: string;
  assets: number;
  hosts: number;
  failed: number;
  ssh_user: string | null;
  ssh_port: number;
  key_fingerprint: string | null;
  known_hosts: string;
  trust_on_first_use: boolean;
  created_at: Date;
}

const columns = sql`
  select s.id, s.name, s.ssh_user, s.ssh_port, s.key_fingerprint, s.known_hosts, s.trust_on_first_use, s.created_at, h.hosts, h.failed,
    (select count(*)::int from inventory.assets a where a.org_id = s.org_id and a.site_id = s.id) as assets
  from inventory.sites s cross join lateral (
    select count(*)::int as hosts, count(h.failure_code)::int as failed from inventory.site_hosts h where h.org_id = s.org_id and h.site_id = s.id) h`;

/** By name. */
export async function listSites(db: Db, page: { after?: string; limit: number }): Promise<Site[]> {
  const after = page.after === undefined ? none : sql`where s.name > ${page.after}`;
  const rows = await db.many<SiteRow>(sql`${columns} ${after} order by s.name limit ${page.limit}`);
  return rows.map(toSite);
}

export async function siteById(db: Db, id: string): Promise<(Site & { knownHosts: string }) | undefined> {
  const row = await db.maybe<SiteRow>(sql`${columns} where s.id = ${id}`);
  return row === undefined ? undefined : { ...toSite(row), knownHosts: row.known_hosts };
}

function toSite(row: SiteRow): Site {
  return {
    id: toTypeId("sit", row.id), name: row.name, assets: row.assets, hosts: row.hosts, failed: row.failed, user: row.ssh_user, port: row.ssh_port,
    keyFingerprint: row.key_fingerprint, trustOnFirstUse: row.trust_on_first_use, createdAt: row.created_at.toISOString(),
  };
}

interface HostRow {
  id: string;
  name: string;
  address: string;
  ssh_port: number | null;
  host_key: string | null;
  asset_id: string | null;
  run_id: string | null;
  tried_at: Date | null;
  failure_code: FailureCode | null;
  failure: string | null;
}

export interface HostFilter {
  siteId: string;
  /** Only those whose last scan failed. */
  failed?: boolean;
  /** Only those that this run tried last; its UUID. */
  runId?: string;
  /** Name of the last host of the page before. */
  after?: string;
  limit: number;
}

/** By name. */
export async function listHosts(db: Db, { siteId, failed, runId, after, limit }: HostFilter): Promise<SiteHost[]> {
  const conditions = [
    sql`site_id = ${siteId}`,
    ...(failed === undefined ? [] : [sql`(failure_code is not null) = ${failed}`]),
    ...(runId === undefined ? [] : [sql`run_id = ${runId}`]),
    ...(after === undefined ? [] : [sql`name > ${after}`]),
  ];
  const rows = await db.many<HostRow>(sql`
    select id, name, address, ssh_port, host_key, asset_id, run_id, tried_at, failure_code, failure from inventory.site_hosts
    where ${join(conditions, " and ")} order by name limit ${limit}`);
  return rows.map((row) => ({
    id: hostTypeId(row.id), name: row.name, address: row.address, port: row.ssh_port, hostKey: row.host_key,
    asset: row.asset_id === null ? null : toTypeId("ast", row.asset_id),
    triedAt: row.tried_at?.toISOString() ?? null, run: row.run_id === null ? null : toTypeId("run", row.run_id),
    failure: row.failure_code === null || row.failure === null ? null : { code: row.failure_code, reason: row.failure },
  }));
}

export async function countHosts(db: Db, siteId: string): Promise<number> {
  return (await db.one<{ hosts: number }>(sql`select count(*)::int as hosts from inventory.site_hosts where site_id = ${siteId}`)).hosts;
}

export async function countSites(db: Db): Promise<number> {
  return (await db.one<{ sites: number }>(sql`select count(*)::int as sites from inventory.sites`)).sites;
}

/** UUIDs of hosts by name, after that name. */
export async function hostsAfter(db: Db, siteId: string, { after, limit }: { after?: string; limit: number }): Promise<{ id: string; name: string }[]> {
  const from = after === undefined ? none : sql`and name > ${after}`;
  return db.many(sql`select id, name from inventory.site_hosts where site_id = ${siteId} ${from} order by name limit ${limit}`);
}

export interface HostToScan {
  id: string;
  siteId: string;
  name: string;
  address: string;
  port: number;
  hostKey: string | null;
  user: string | null;
  /** Sealed. */
  privateKey: string | null;
  knownHosts: string;
  trustOnFirstUse: boolean;
}

/** A host with what its site says of how to reach it. */
export async function hostToScan(db: Db, id: string): Promise<HostToScan | undefined> {
  return db.maybe(sql`
    select h.id, h.site_id as "siteId", h.name, h.address, coalesce(h.ssh_port, s.ssh_port) as port, h.host_key as "hostKey", s.ssh_user as user,
      s.private_key as "privateKey", s.known_hosts as "knownHosts", s.trust_on_first_use as "trustOnFirstUse"
    from inventory.site_hosts h join inventory.sites s on s.org_id = h.org_id and s.id = h.site_id where h.id = ${id}`);
}

export interface SiteFindings {
  /** Hosts that the run recorded. */
  recorded: number;
  /** Of them, those whose software was matched. */
  matched: number;
  findings: number;
  critical: number;
  high: number;
  medium: number;
  low: number;
}

/** Findings of the hosts that a run recorded, added up. */
export async function findingsOfRun(db: Db, siteId: string, runId: string): Promise<SiteFindings> {
  return db.one(sql`
    select count(*)::int as recorded, count(m.component_set_id)::int as matched, coalesce(sum((m.summary ->> 'findings')::int), 0)::int as findings,
      coalesce(sum((m.summary -> 'bySeverity' ->> 'critical')::int), 0)::int as critical, coalesce(sum((m.summary -> 'bySeverity' ->> 'high')::int), 0)::int as high,
      coalesce(sum((m.summary -> 'bySeverity' ->> 'medium')::int), 0)::int as medium, coalesce(sum((m.summary -> 'bySeverity' ->> 'low')::int), 0)::int as low
    from inventory.site_hosts h join inventory.assets a on a.org_id = h.org_id and a.id = h.asset_id
    left join vulnerabilities.api_matches m on m.org_id = a.org_id and m.component_set_id = a.component_set_id
    where h.site_id = ${siteId} and h.run_id = ${runId} and h.failure_code is null`);
}
