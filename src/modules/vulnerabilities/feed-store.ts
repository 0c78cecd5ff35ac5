import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Advisory } from "./domain/advisory.ts";
import { instanceLockClass } from "../../platform/database/instance.ts";
import { nameKey } from "./domain/package-names.ts";
import type { FeedSummary } from "./feeds/feed-tally.ts";

/** Starts a version that nobody sees until it is made current. */
export async function createStagingVersion(db: Db, version: { id: string; feed: string; instance: number; now: string }): Promise<void> {
  await db.run(sql`insert into vulnerabilities.feed_versions (id, feed, state, instance, created_at) values (${version.id}, ${version.feed}, 'staging', ${version.instance}, ${version.now})`);
}

/** Adds a batch of advisories to a staging version: four statements, however many advisories. */
export async function stageAdvisories(db: Db, versionId: string, batch: readonly Advisory[]): Promise<void> {
  const rows = batch.map((advisory) => ({
    id: advisory.id, aliases: advisory.aliases, summary: advisory.summary ?? null, severity: advisory.severity, vector: advisory.vector ?? null,
    published: advisory.published ?? null, modified: advisory.modified ?? null,
  }));
  await db.run(sql`
    insert into vulnerabilities.advisories (feed_version_id, id, aliases, summary, severity, vector, published, modified)
    select ${versionId}, id, array(select jsonb_array_elements_text(aliases)), summary, severity, vector, published, modified
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
      as r(id text, aliases jsonb, summary text, severity text, vector text, published timestamptz, modified timestamptz)`);
  const aliases = batch.flatMap((advisory) => advisory.aliases.map((alias) => ({ alias, advisory: advisory.id })));
  await db.run(sql`
    insert into vulnerabilities.advisory_aliases (feed_version_id, alias, advisory_id)
    select ${versionId}, alias, advisory from jsonb_to_recordset(${JSON.stringify(aliases)}::jsonb) as r(alias text, advisory text) on conflict do nothing`);
  const affected = batch.flatMap((advisory) => advisory.affected.map(({ ecosystem, package: name, ...entry }) => ({
    ecosystem, name, key: nameKey(ecosystem, name), advisory: advisory.id, entry,
  })));
  await db.run(sql`
    insert into vulnerabilities.affected (feed_version_id, ecosystem, package_key, package, advisory_id, entry)
    select ${versionId}, ecosystem, key, name, advisory, entry
    from jsonb_to_recordset(${JSON.stringify(affected)}::jsonb) as r(ecosystem text, key text, name text, advisory text, entry jsonb)`);
  await db.run(sql`
    insert into vulnerabilities.feed_ecosystems (feed_version_id, ecosystem)
    select distinct ${versionId}::uuid, e from unnest(${[...new Set(affected.map((entry) => entry.ecosystem))]}::text[]) as e on conflict do nothing`);
}

/** Whole now, and like a retired version until it is made current: where that does not come, the sweep takes it. */
export async function finishStaging(db: Db, versionId: string, summary: FeedSummary, now: string): Promise<void> {
  await db.run(sql`
    update vulnerabilities.feed_versions set digest = ${summary.digest}, newest = ${summary.newest}, records = ${summary.records},
      state = 'retired', retired_at = ${now} where id = ${versionId}`);
}

/** Two that publish or delete the same feed at once go one after the other: neither would see the other's version. */
async function lockFeed(db: Db, feed: string): Promise<void> {
  await db.run(sql`select pg_advisory_xact_lock(hashtextextended(${`vulnerabilities.feed ${feed}`}, 0))`);
}

/** The one pointer: from this commit on the version is what scans begin with. The one before is retired. */
export async function makeCurrent(db: Db, feed: string, versionId: string, now: string): Promise<void> {
  await lockFeed(db, feed);
  await db.run(sql`update vulnerabilities.feed_versions set state = 'retired', retired_at = ${now} where feed = ${feed} and state = 'current'`);
  await db.run(sql`update vulnerabilities.feed_versions set state = 'current', retired_at = null where id = ${versionId}`);
  await db.run(sql`
    insert into vulnerabilities.feeds (name, current_version_id, updated_at) values (${feed}, ${versionId}, ${now})
    on conflict (name) do update set current_version_id = excluded.current_version_id, updated_at = excluded.updated_at`);
}

export async function removeFeed(db: Db, feed: string, now: string): Promise<boolean> {
  await lockFeed(db, feed);
  const removed = await db.run(sql`delete from vulnerabilities.feeds where name = ${feed}`);
  await db.run(sql`update vulnerabilities.feed_versions set state = 'retired', retired_at = ${now} where feed = ${feed} and state = 'current'`);
  return removed === 1;
}

export type Transaction = <T>(work: (db: Db) => Promise<T>) => Promise<T>;

const rowsOfVersions = [sql`vulnerabilities.affected`, sql`vulnerabilities.advisory_aliases`, sql`vulnerabilities.advisories`, sql`vulnerabilities.feed_ecosystems`];
const rowsAtOnce = 20_000;

/**
 * Deletes a version that nobody reads, in short transactions: at once it takes half a minute for 300,000 advisories, and
 * holds the event log back for as long.
 */
export async function deleteVersion(transaction: Transaction, versionId: string): Promise<void> {
  for (const table of rowsOfVersions) {
    let deleted = rowsAtOnce;
    while (deleted === rowsAtOnce) {
      deleted = await transaction((db) => db.run(sql`
        delete from ${table} where ctid = any(array(select ctid from ${table} where feed_version_id = ${versionId} limit ${rowsAtOnce}))`));
    }
  }
  await transaction((db) => db.run(sql`delete from vulnerabilities.feed_versions where id = ${versionId}`));
}

/** Deletes versions that a crash left behind, and retired ones that no scan can still be reading. */
export async function sweepVersions(transaction: Transaction, retiredBefore: string): Promise<number> {
  const left = await transaction((db) => db.many<{ id: string }>(sql`
    select v.id from vulnerabilities.feed_versions v
    where (state = 'retired' and retired_at < ${retiredBefore})
      or (state = 'staging' and not exists (select from pg_locks l
        where l.locktype = 'advisory' and l.classid = ${instanceLockClass}::oid and l.objid = v.instance::oid and l.granted))`));
  for (const { id } of left) await deleteVersion(transaction, id);
  return left.length;
}
