import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { ScanReport } from "./domain/report.ts";
import { currentDatabase } from "./feed-views.ts";

/**
 * Replaces what is known of a component set by this report: one row of counts and one a finding. A report that was made
 * with older advisories, while somebody else stored one made with the current ones, is left: false then.
 */
export async function replaceMatch(db: Db, match: { orgId: string; componentSetId: string; report: ScanReport; now: string }): Promise<boolean> {
  const { orgId, componentSetId, report, now } = match;
  // Before it is read which advisories are current, so that the order of two who replace is that of what they read.
  await db.run(sql`select pg_advisory_xact_lock(hashtextextended(${`vulnerabilities.match ${orgId} ${componentSetId}`}, 0))`);
  const current = (await currentDatabase(db)).digest ?? "";
  const kept = await db.run(sql`
    insert into vulnerabilities.matches (org_id, component_set_id, database_digest, database_newest, summary, could_not_match, matched_at)
    values (${orgId}, ${componentSetId}, ${report.advisories.digest ?? ""}, ${report.advisories.newest}, ${JSON.stringify(report.summary)},
      ${JSON.stringify(report.couldNotMatch)}, ${now})
    on conflict (org_id, component_set_id) do update set database_digest = excluded.database_digest, database_newest = excluded.database_newest,
      summary = excluded.summary, could_not_match = excluded.could_not_match, matched_at = excluded.matched_at
      where matches.database_digest <> ${current} or excluded.database_digest = ${current}`);
  if (kept === 0) return false;
  await db.run(sql`delete from vulnerabilities.findings where org_id = ${orgId} and component_set_id = ${componentSetId}`);
  const rows = report.findings.map((finding) => ({
    advisory_id: finding.advisory, source: finding.source, source_version: finding.sourceVersion, matched_by: finding.matchedBy,
    ecosystem: finding.ecosystem, matched_source: finding.matchedSource ?? null, matched_version: finding.matchedVersion ?? null,
    fixed_version: finding.fixedVersion, aliases: finding.aliases, severity: finding.severity, vector: finding.vector ?? null,
    summary: finding.summary ?? null, packages: finding.packages,
  }));
  await db.run(sql`
    insert into vulnerabilities.findings (org_id, component_set_id, advisory_id, source, source_version, matched_by, ecosystem,
      matched_source, matched_version, fixed_version, aliases, severity, vector, summary, packages)
    select ${orgId}, ${componentSetId}, advisory_id, source, source_version, matched_by, ecosystem, matched_source, matched_version,
      fixed_version, array(select json_array_elements_text(aliases)), severity, vector, summary, packages
    from json_to_recordset(${JSON.stringify(rows)}::json) as r(advisory_id text, source text, source_version text, matched_by text,
      ecosystem text, matched_source text, matched_version text, fixed_version text, aliases json, severity text, vector text, summary text, packages json)`);
  return true;
}

/** Deletes the results of sets that are gone; the database of an organization stays as small as its software. */
export async function sweepMatches(db: Db): Promise<number> {
  return db.run(sql`
    delete from vulnerabilities.matches m
    where not exists (select from software.api_component_sets s where s.org_id = m.org_id and s.id = m.component_set_id)`);
}
