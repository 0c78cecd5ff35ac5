import { rateCvss } from "../domain/cvss.ts";
import type { Severity } from "../domain/advisory.ts";
import type { CouldNotMatch, Finding } from "../domain/finding.ts";
import { cvesOf } from "../domain/report.ts";
import type { ScanReport } from "../domain/report.ts";
import type { Tool } from "./tool.ts";

/** SARIF 2.1.0 (OASIS): a rule for each advisory, a result for each finding, a notification for what is not known. */
export function formatSarif(report: ScanReport, tool: Tool): string {
  const rules = rulesOf(report.findings);
  const ruleIndex = new Map(rules.map(({ id }, at) => [id, at]));
  const uri = encodeURI(report.target?.name ?? "components");
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: tool.name, version: tool.version, rules } },
        invocations: [
          { executionSuccessful: true, toolExecutionNotifications: report.couldNotMatch.map(notificationOf) },
        ],
        results: report.findings.map((finding) => ({
          ruleId: finding.advisory,
          ruleIndex: ruleIndex.get(finding.advisory),
          level: levelOf(finding.severity),
          message: { text: messageOf(finding) },
          locations: [
            {
              physicalLocation: { artifactLocation: { uri } },
              logicalLocations: finding.packages.map(({ name, purl }) => ({
                name,
                fullyQualifiedName: purl ?? name,
                kind: "package",
              })),
            },
          ],
          partialFingerprints: {
            "finding/v1": [finding.advisory, finding.ecosystem, finding.source, finding.sourceVersion, finding.matchedBy].join("|"),
          },
          properties: {
            severity: finding.severity,
            source: finding.source,
            sourceVersion: finding.sourceVersion,
            matchedBy: finding.matchedBy,
            fixedVersion: finding.fixedVersion,
            aliases: finding.aliases,
          },
        })),
        properties: { mode: report.mode, advisories: report.advisories, summary: report.summary },
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function rulesOf(findings: readonly Finding[]) {
  const byAdvisory = new Map(findings.map((finding) => [finding.advisory, finding]));
  return [...byAdvisory.values()].map((finding) => {
    // Code scanning services sort by this number; it is left out where no vector gives one.
    const score = finding.vector === undefined ? undefined : rateCvss(finding.vector)?.score;
    return {
      id: finding.advisory,
      shortDescription: { text: finding.summary ?? finding.advisory },
      defaultConfiguration: { level: levelOf(finding.severity) },
      properties: {
        tags: ["security", "vulnerability", ...cvesOf(finding)],
        ...(score !== undefined && { "security-severity": score.toFixed(1) }),
      },
    };
  });
}

function levelOf(severity: Severity): "error" | "warning" | "note" {
  if (severity === "critical" || severity === "high") return "error";
  return severity === "low" || severity === "none" ? "note" : "warning";
}

function messageOf({ advisory, source, sourceVersion, fixedVersion, packages, matchedSource, matchedVersion }: Finding): string {
  const compared = matchedSource === undefined ? "" : ` (that is ${matchedSource} ${matchedVersion})`;
  const fix = fixedVersion === null ? "no fixed version is known" : `fixed in ${fixedVersion}`;
  const names = packages.map(({ name }) => name).join(", ");
  return `${advisory} affects ${source} ${sourceVersion}${compared}, ${fix}. Packages: ${names}.`;
}

function notificationOf({ what, why }: CouldNotMatch) {
  const name = what.purl ?? [what.name, what.version].filter((part) => part !== undefined).join(" ");
  return { level: "warning", descriptor: { id: `could-not-match/${why.code}` }, message: { text: `${name} could not be matched: ${why.text}` } };
}
