import { Type, type Static } from "typebox";
import { severities } from "./advisory.ts";
import type { Severity } from "./advisory.ts";
import { CouldNotMatch, Finding } from "./finding.ts";
import type { MatchResult } from "./match.ts";

const Count = (description: string) => Type.Integer({ minimum: 0, description });
const Digest = Type.Union([Type.String(), Type.Null()], {
  description: "sha256 over the records of all feeds together; null where no feed is loaded",
});
const Newest = Type.Union([Type.String(), Type.Null()], {
  description: "When the newest record was modified, RFC 3339 UTC; null where none says so",
});

export const FeedOfReport = Type.Object(
  { name: Type.String({ description: "What the feed is called" }), digest: Digest, newest: Newest, records: Count("Distinct records") },
  { $id: "FeedOfReport" },
);
export type FeedOfReport = Static<typeof FeedOfReport>;

export const ScanTarget = Type.Object(
  {
    kind: Type.Enum(["host", "rootfs", "dpkg-status", "sbom", "image", "components"], { description: "What was scanned" }),
    name: Type.String({ description: "Its name or path" }),
    os: Type.Optional(Type.String({ description: "Its operating system: debian-12" })),
  },
  { $id: "ScanTarget" },
);
export type ScanTarget = Static<typeof ScanTarget>;

export const ScanSummary = Type.Object(
  {
    findings: Count("Findings"),
    cves: Count("Distinct CVE ids over all findings"),
    bySeverity: Type.Object(
      {
        critical: Count("Findings of severity critical"),
        high: Count("Findings of severity high"),
        medium: Count("Findings of severity medium"),
        low: Count("Findings of severity low"),
        none: Count("Findings of severity none"),
        unknown: Count("Findings of which nobody states a severity"),
      },
      { description: "Findings by severity" },
    ),
    packages: Count("Components that were looked at"),
    couldNotMatch: Count("Of them, those that could not be matched, or not with every advisory about them"),
  },
  { $id: "ScanSummary", description: "Counts over the whole scan" },
);
export type ScanSummary = Static<typeof ScanSummary>;

export const ScanReport = Type.Object(
  {
    schema: Type.Literal("qinfra.scan/1", { description: "Name and version of this format" }),
    mode: Type.Enum(["local", "server"], { description: "Who matched: the command's own process, or the server" }),
    target: Type.Optional(ScanTarget),
    advisories: Type.Object(
      {
        digest: Digest,
        newest: Newest,
        feeds: Type.Optional(Type.Array(FeedOfReport, { description: "The feeds that were loaded" })),
      },
      { description: "The advisories that the scan was made with" },
    ),
    findings: Type.Array(Finding, { description: "Sorted by source, its version and advisory" }),
    couldNotMatch: Type.Array(CouldNotMatch, { description: "Components of which it is not known whether they are vulnerable" }),
    notes: Type.Optional(Type.Array(Type.Object({
      kind: Type.String({ description: "unread-package-database, not-searched, unreadable-file, ..." }),
      text: Type.String({ description: "For people: what, and where" }),
    }, { description: "One part of the input" }), {
      description: "What of the input could not be read or was not searched; what lies there is not known",
    })),
    summary: ScanSummary,
  },
  { $id: "ScanReport", description: "What a scan found, and what it could not tell" },
);
export type ScanReport = Static<typeof ScanReport>;

/** What a report says beside the result of matching. */
export interface ReportContext {
  mode: ScanReport["mode"];
  target?: ScanTarget;
  advisories: ScanReport["advisories"];
}

export function buildReport({ findings, couldNotMatch, packages }: MatchResult, context: ReportContext): ScanReport {
  return {
    schema: "qinfra.scan/1",
    mode: context.mode,
    ...(context.target !== undefined && { target: context.target }),
    advisories: context.advisories,
    findings,
    couldNotMatch,
    summary: {
      findings: findings.length,
      cves: distinctCves(findings),
      bySeverity: countBySeverity(findings),
      packages,
      couldNotMatch: couldNotMatch.length,
    },
  };
}

const cveId = /^CVE-\d{4}-\d{4,}$/;

/** The CVE ids that a finding is about, without duplicates. */
export function cvesOf({ advisory, aliases }: Pick<Finding, "advisory" | "aliases">): string[] {
  return [...new Set([advisory, ...aliases])].filter((id) => cveId.test(id));
}

function distinctCves(findings: readonly Finding[]): number {
  return new Set(findings.flatMap(cvesOf)).size;
}

function countBySeverity(findings: readonly Finding[]): Record<Severity, number> {
  const counts: Record<Severity, number> = { critical: 0, high: 0, medium: 0, low: 0, none: 0, unknown: 0 };
  for (const { severity } of findings) counts[severity] += 1;
  return counts;
}

/** `--fail-on` takes a rating word; `unknown` is none, because it meets every threshold by itself. */
export type FailOn = Exclude<Severity, "unknown">;

export interface VerdictOptions {
  failOn?: FailOn;
  /** Whether a component that could not be matched fails the scan. */
  strict?: boolean;
  /** Whether a finding of unknown severity is held below every threshold. */
  ignoreUnknownSeverity?: boolean;
}

/**
 * 0: no finding at or over `failOn`, or no threshold is given. 1: there is one. 2: the scan says too little: nothing
 * of an input that holds something could be matched, or `strict` and parts could not. 2 wins over 1.
 */
export function exitCode(report: ScanReport, { failOn, strict = false, ignoreUnknownSeverity = false }: VerdictOptions): 0 | 1 | 2 {
  if (matchedNothing(report.summary)) return 2;
  if (strict && report.summary.couldNotMatch > 0) return 2;
  if (failOn === undefined) return 0;
  return report.findings.some(({ severity }) => meets(severity, failOn, ignoreUnknownSeverity)) ? 1 : 0;
}

/** True where the input holds components and not one of them could be matched. */
export function matchedNothing({ packages, couldNotMatch, findings }: ScanSummary): boolean {
  return packages > 0 && couldNotMatch >= packages && findings === 0;
}

function meets(severity: Severity, threshold: FailOn, ignoreUnknown: boolean): boolean {
  if (severity === "unknown") return !ignoreUnknown;
  return severities.indexOf(severity) <= severities.indexOf(threshold);
}

/** The line that ends a scan, for standard error: counts, how many severities are unknown, and what is not known. */
export function lastLine({ summary }: ScanReport, { failOn, ignoreUnknownSeverity = false }: VerdictOptions = {}): string {
  const { bySeverity, packages, couldNotMatch } = summary;
  if (matchedNothing(summary)) {
    return `None of ${count(packages, "package")} could be matched: this scan does not say whether they are vulnerable.`;
  }
  const rated = severities
    .filter((severity) => severity !== "unknown" && bySeverity[severity] > 0)
    .map((severity) => `${bySeverity[severity]} ${severity}`);
  const ignored = ignoreUnknownSeverity && failOn !== undefined && bySeverity.unknown > 0 ? " (ignored by --fail-on)" : "";
  const bySeverityText = [...rated, `${bySeverity.unknown} of unknown severity${ignored}`].join(", ");
  const open = couldNotMatch === 0 ? "all could be matched" : `${couldNotMatch} could not be matched`;
  return `${count(summary.findings, "finding")} (${bySeverityText}), ${count(summary.cves, "CVE")}; ${count(packages, "package")}, ${open}.`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
