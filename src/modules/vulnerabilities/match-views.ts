import type { Db } from "../../platform/database/database.ts";
import { join, sql } from "../../platform/database/sql.ts";
import { toTypeId } from "../../platform/ids.ts";
import type { Severity } from "./domain/advisory.ts";
import type { CouldNotMatch, Finding } from "./domain/finding.ts";
import type { ScanSummary } from "./domain/report.ts";

export interface MatchRow {
  componentSetId: string;
  digest: string | null;
  newest: string | null;
  summary: ScanSummary;
  couldNotMatch: CouldNotMatch[];
  matchedAt: string;
}

/** What is known of a component set; undefined before it was matched for the first time. */
export async function matchOf(db: Db, componentSetId: string): Promise<MatchRow | undefined> {
  const row = await db.maybe<{ database_digest: string; database_newest: Date | null; summary: ScanSummary; could_not_match: CouldNotMatch[]; matched_at: Date }>(sql`
    select database_digest, database_newest, summary, could_not_match, matched_at from vulnerabilities.matches where component_set_id = ${componentSetId}`);
  if (row === undefined) return undefined;
  return {
    componentSetId, digest: row.database_digest === "" ? null : row.database_digest, newest: row.database_newest?.toISOString() ?? null,
    summary: row.summary, couldNotMatch: row.could_not_match, matchedAt: row.matched_at.toISOString(),
  };
}

interface FindingRow {
  advisory_id: string;
  source: string;
  source_version: string;
  matched_by: Finding["matchedBy"];
  ecosystem: string;
  matched_source: string | null;
  matched_version: string | null;
  fixed_version: string | null;
  aliases: string[];
  severity: Severity;
  vector: string | null;
  summary: string | null;
  packages: Finding["packages"];
}

export interface FindingFilter {
  severity?: Severity;
  /** Number of findings to leave out: they are few, sorted, and replaced as a whole. */
  skip: number;
  limit: number;
}

/** The findings of a set, in the order of the report. */
export async function findingsOf(db: Db, componentSetId: string, filter: FindingFilter): Promise<Finding[]> {
  const conditions = [sql`component_set_id = ${componentSetId}`, ...(filter.severity === undefined ? [] : [sql`severity = ${filter.severity}`])];
  const rows = await db.many<FindingRow>(sql`
    select advisory_id, source, source_version, matched_by, ecosystem, matched_source, matched_version, fixed_version, aliases, severity, vector, summary, packages
    from vulnerabilities.findings where ${join(conditions, " and ")}
    order by source collate "C", source_version collate "C", advisory_id collate "C", matched_by collate "C", ecosystem collate "C"
    limit ${filter.limit} offset ${filter.skip}`);
  return rows.map(toFinding);
}

export interface AffectedThing {
  id: string;
  name: string;
  advisories: string[];
  packages: string[];
}

/** Which images have findings of these advisories. */
export async function imagesWith(db: Db, advisoryIds: readonly string[], limit: number): Promise<AffectedThing[]> {
  const rows = await db.many<{ id: string; name: string; advisories: string[]; packages: string[] }>(sql`
    select i.id, i.family || ':' || i.version as name, array_agg(distinct f.advisory_id) as advisories,
      array_agg(distinct p.name || ' ' || coalesce(p.version, '')) as packages
    from vulnerabilities.findings f
    join images.api_images i on i.org_id = f.org_id and i.component_set_id = f.component_set_id
    cross join lateral json_to_recordset(f.packages) as p(name text, version text)
    where f.advisory_id = any(${advisoryIds}) group by i.id, i.family, i.version order by i.id desc limit ${limit}`);
  return rows.map((row) => ({ ...row, id: toTypeId("img", row.id) }));
}

/** Which assets have findings of these advisories. */
export async function assetsWith(db: Db, advisoryIds: readonly string[], limit: number): Promise<AffectedThing[]> {
  const rows = await db.many<{ id: string; name: string; advisories: string[]; packages: string[] }>(sql`
    select a.id, a.name, array_agg(distinct f.advisory_id) as advisories, array_agg(distinct p.name || ' ' || coalesce(p.version, '')) as packages
    from vulnerabilities.findings f
    join inventory.api_assets a on a.org_id = f.org_id and a.component_set_id = f.component_set_id
    cross join lateral json_to_recordset(f.packages) as p(name text, version text)
    where f.advisory_id = any(${advisoryIds}) group by a.id, a.name order by a.name limit ${limit}`);
  return rows.map((row) => ({ ...row, id: toTypeId("ast", row.id) }));
}

function toFinding(row: FindingRow): Finding {
  return {
    advisory: row.advisory_id, aliases: row.aliases,
    ...(row.summary === null ? {} : { summary: row.summary }),
    ecosystem: row.ecosystem, source: row.source, sourceVersion: row.source_version, matchedBy: row.matched_by,
    ...(row.matched_source === null ? {} : { matchedSource: row.matched_source }),
    ...(row.matched_version === null ? {} : { matchedVersion: row.matched_version }),
    fixedVersion: row.fixed_version, severity: row.severity,
    ...(row.vector === null ? {} : { vector: row.vector }),
    packages: row.packages,
  };
}
