import type { Db } from "../../platform/database/database.ts";
import { none, sql } from "../../platform/database/sql.ts";
import type { Advisory, Affected, Severity } from "./domain/advisory.ts";
import type { LookUp } from "./domain/match.ts";
import { nameKey } from "./domain/package-names.ts";
import { combinedDigest } from "./feeds/feed-tally.ts";

/** The advisory database as one scan sees it from beginning to end: the versions that were current when it began. */
export interface DatabaseVersion {
  versionIds: string[];
  /** Null where nothing is loaded. */
  digest: string | null;
  /** RFC 3339, UTC. */
  newest: string | null;
  feeds: string[];
}

export async function currentDatabase(db: Db): Promise<DatabaseVersion> {
  const rows = await db.many<{ name: string; id: string; digest: string; newest: Date | null }>(sql`
    select f.name, v.id, v.digest, v.newest from vulnerabilities.feeds f join vulnerabilities.feed_versions v on v.id = f.current_version_id order by f.name`);
  const newest = rows.map((row) => row.newest?.toISOString()).filter((time) => time !== undefined).sort().at(-1) ?? null;
  return { versionIds: rows.map((row) => row.id), digest: combinedDigest(rows.map((row) => row.digest)), newest, feeds: rows.map((row) => row.name) };
}

/** The advisories about these packages, each once however many feeds have it: the one that was modified last. */
export async function advisoriesFor(db: Db, versionIds: readonly string[], lookUps: readonly LookUp[]): Promise<Advisory[]> {
  if (versionIds.length === 0 || lookUps.length === 0) return [];
  // An entry without a release (`Debian`) holds for every release, so it is fetched too.
  const wanted = new Map<string, LookUp>();
  for (const { ecosystem, package: name } of lookUps) {
    for (const id of new Set([ecosystem, ecosystem.split(":")[0] ?? ecosystem])) {
      wanted.set(`${id}\n${nameKey(id, name)}`, { ecosystem: id, package: nameKey(id, name) });
    }
  }
  const keys = [...wanted.values()];
  const rows = await db.many<AffectedRow>(sql`
    select a.feed_version_id, a.ecosystem, a.package, a.advisory_id, a.entry
    from unnest(${keys.map((key) => key.ecosystem)}::text[], ${keys.map((key) => key.package)}::text[]) as k(ecosystem, package_key)
    join vulnerabilities.affected a on a.ecosystem = k.ecosystem and a.package_key = k.package_key
    where a.feed_version_id = any(${versionIds}::uuid[])`);
  const ids = [...new Set(rows.map((row) => row.advisory_id))];
  const advisories = await db.many<AdvisoryRow>(sql`
    select distinct on (id) feed_version_id, id, aliases, summary, severity, vector, published, modified
    from vulnerabilities.advisories where feed_version_id = any(${versionIds}::uuid[]) and id = any(${ids})
    order by id, modified desc nulls last, feed_version_id desc`);
  const entries = Map.groupBy(rows, (row) => `${row.feed_version_id} ${row.advisory_id}`);
  return advisories.map((row) => toAdvisory(row, (entries.get(`${row.feed_version_id} ${row.id}`) ?? []).map(toAffected)));
}

export async function loadedEcosystems(db: Db, versionIds: readonly string[]): Promise<string[]> {
  const rows = await db.many<{ ecosystem: string }>(sql`
    select distinct ecosystem from vulnerabilities.feed_ecosystems where feed_version_id = any(${versionIds}::uuid[])`);
  return rows.map((row) => row.ecosystem);
}

/** The advisories that go by this name: as their id, or as an alias (a CVE). */
export async function advisoriesNamed(db: Db, versionIds: readonly string[], name: string): Promise<(Advisory & { feed: string })[]> {
  const rows = await db.many<AdvisoryRow & { feed: string }>(sql`
    select v.feed, a.feed_version_id, a.id, a.aliases, a.summary, a.severity, a.vector, a.published, a.modified
    from vulnerabilities.advisories a join vulnerabilities.feed_versions v on v.id = a.feed_version_id
    where a.feed_version_id = any(${versionIds}::uuid[]) and (a.id = ${name} or exists (
      select from vulnerabilities.advisory_aliases l where l.feed_version_id = a.feed_version_id and l.advisory_id = a.id and l.alias = ${name}))
    order by a.id limit 200`);
  const affected = await db.many<AffectedRow>(sql`
    select feed_version_id, ecosystem, package, advisory_id, entry from vulnerabilities.affected
    where feed_version_id = any(${versionIds}::uuid[]) and advisory_id = any(${rows.map((row) => row.id)})`);
  return rows.map((row) => ({
    ...toAdvisory(row, affected.filter((entry) => entry.feed_version_id === row.feed_version_id && entry.advisory_id === row.id).map(toAffected)),
    feed: row.feed,
  }));
}

export interface FeedRow {
  name: string;
  records: number;
  digest: string;
  newest: Date | null;
  updated_at: Date;
  ecosystems: number;
}

export async function listFeeds(db: Db, page: { after?: string; limit: number }): Promise<FeedRow[]> {
  const after = page.after === undefined ? none : sql`where f.name > ${page.after}`;
  return db.many<FeedRow>(sql`
    select f.name, v.records, v.digest, v.newest, f.updated_at,
      (select count(*)::int from vulnerabilities.feed_ecosystems e where e.feed_version_id = v.id) as ecosystems
    from vulnerabilities.feeds f join vulnerabilities.feed_versions v on v.id = f.current_version_id ${after} order by f.name limit ${page.limit}`);
}

interface AdvisoryRow {
  feed_version_id: string;
  id: string;
  aliases: string[];
  summary: string | null;
  severity: Severity;
  vector: string | null;
  published: Date | null;
  modified: Date | null;
}

interface AffectedRow {
  feed_version_id: string;
  ecosystem: string;
  package: string;
  advisory_id: string;
  entry: Omit<Affected, "ecosystem" | "package">;
}

function toAffected(row: AffectedRow): Affected {
  return { ...row.entry, ecosystem: row.ecosystem, package: row.package };
}

function toAdvisory(row: AdvisoryRow, affected: Affected[]): Advisory {
  return {
    id: row.id, aliases: row.aliases, severity: row.severity, affected,
    ...(row.summary === null ? {} : { summary: row.summary }),
    ...(row.vector === null ? {} : { vector: row.vector }),
    ...(row.published === null ? {} : { published: row.published.toISOString() }),
    ...(row.modified === null ? {} : { modified: row.modified.toISOString() }),
  };
}

/** Digest of what is current in a feed. */
export async function currentDigest(db: Db, feed: string): Promise<string | undefined> {
  const row = await db.maybe<{ digest: string }>(sql`
    select v.digest from vulnerabilities.feeds f join vulnerabilities.feed_versions v on v.id = f.current_version_id where f.name = ${feed}`);
  return row?.digest;
}
