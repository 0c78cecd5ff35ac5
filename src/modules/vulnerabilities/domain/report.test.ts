import { Value } from "typebox/value";
import { describe, expect, it } from "vitest";
import type { Severity } from "./advisory.ts";
import type { CouldNotMatch, Finding } from "./finding.ts";
import { buildReport, exitCode, lastLine, ScanReport } from "./report.ts";
import type { VerdictOptions } from "./report.ts";

function finding(severity: Severity, aliases: string[] = [], advisory = "DSA-1"): Finding {
  return {
    advisory,
    aliases,
    ecosystem: "Debian:12",
    source: "thing",
    sourceVersion: "1.0",
    matchedBy: "source",
    fixedVersion: null,
    severity,
    packages: [{ name: "thing", version: "1.0", purl: "pkg:deb/debian/thing@1.0?distro=debian-12" }],
  };
}

const open: CouldNotMatch = { what: { name: "x" }, why: { code: "no-purl", text: "it has no purl" } };
const context = { mode: "local", advisories: { digest: "sha256:0", newest: null } } as const;

function report(severities: Severity[], openCount = 0, packages = 10) {
  const findings = severities.map((severity) => finding(severity));
  return buildReport({ findings, couldNotMatch: Array.from({ length: openCount }, () => open), packages }, context);
}

describe("buildReport", () => {
  it("counts findings by severity and distinct CVEs, those of the advisory's own id included", () => {
    const findings = [
      finding("high", ["CVE-2024-0001", "CVE-2024-0002", "GHSA-x"]),
      finding("high", ["CVE-2024-0002"], "CVE-2024-0003"),
      finding("unknown", [], "DSA-2"),
    ];
    const built = buildReport({ findings, couldNotMatch: [open], packages: 7 }, { ...context, target: { kind: "dpkg-status", name: "status" } });
    expect(built.summary).toEqual({
      findings: 3,
      cves: 3,
      bySeverity: { critical: 0, high: 2, medium: 0, low: 0, none: 0, unknown: 1 },
      packages: 7,
      couldNotMatch: 1,
    });
  });

  it("follows its schema, in which every field is described", () => {
    const built = report(["high", "unknown"], 1);
    expect([...Value.Errors(ScanReport, JSON.parse(JSON.stringify(built)))]).toEqual([]);
    expect(Value.Check(ScanReport, { ...built, mode: "other" })).toBe(false);
    const bare = undescribed(ScanReport as unknown as SchemaNode, "ScanReport");
    expect(bare).toEqual([]);
  });
});

interface SchemaNode {
  description?: string;
  $id?: string;
  properties?: Record<string, SchemaNode>;
  items?: SchemaNode;
}

function undescribed(schema: SchemaNode, at: string): string[] {
  const own = schema.description === undefined && schema.$id === undefined ? [at] : [];
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => undescribed(field, `${at}.${name}`));
  const items = schema.items?.properties === undefined ? [] : undescribed(schema.items, `${at}[]`);
  return [...own, ...fields, ...items];
}

describe("exitCode", () => {
  it.each<[string, Severity[], number, VerdictOptions, number]>([
    ["nothing found", [], 0, { failOn: "low" }, 0],
    ["found, no threshold", ["critical", "unknown"], 0, {}, 0],
    ["below the threshold", ["medium", "low"], 0, { failOn: "high" }, 0],
    ["at the threshold", ["high"], 0, { failOn: "high" }, 1],
    ["over the threshold", ["critical"], 0, { failOn: "high" }, 1],
    ["none is below low", ["none"], 0, { failOn: "low" }, 0],
    ["none meets none", ["none"], 0, { failOn: "none" }, 1],
    ["unknown meets every threshold", ["unknown"], 0, { failOn: "critical" }, 1],
    ["unknown ignored", ["unknown", "low"], 0, { failOn: "critical", ignoreUnknownSeverity: true }, 0],
    ["unknown ignored, another found", ["unknown", "critical"], 0, { failOn: "critical", ignoreUnknownSeverity: true }, 1],
    ["parts not matched", ["low"], 3, { failOn: "high" }, 0],
    ["parts not matched, strict", [], 3, { strict: true }, 2],
    ["strict wins over findings", ["critical"], 1, { strict: true, failOn: "low" }, 2],
    ["strict, all matched", ["critical"], 0, { strict: true, failOn: "low" }, 1],
    ["nothing could be matched", [], 10, {}, 2],
    ["nothing could be matched, threshold", [], 10, { failOn: "critical", ignoreUnknownSeverity: true }, 2],
    ["certain findings among what stays open", ["high"], 10, { failOn: "high" }, 1],
  ])("%s", (_, severities, openCount, options, code) => {
    expect(exitCode(report(severities, openCount), options)).toBe(code);
  });

  it("is 0 for an input without components", () => {
    expect(exitCode(report([], 0, 0), { strict: true, failOn: "low" })).toBe(0);
  });
});

describe("lastLine", () => {
  it.each<[string, Severity[], number, VerdictOptions, string]>([
    ["clean", [], 0, {}, "0 findings (0 of unknown severity), 0 CVEs; 10 packages, all could be matched."],
    ["found", ["high", "unknown", "low"], 2, {}, "3 findings (1 high, 1 low, 1 of unknown severity), 0 CVEs; 10 packages, 2 could not be matched."],
    [
      "ignored",
      ["unknown"],
      0,
      { failOn: "high", ignoreUnknownSeverity: true },
      "1 finding (1 of unknown severity (ignored by --fail-on)), 0 CVEs; 10 packages, all could be matched.",
    ],
    ["nothing", [], 10, {}, "None of 10 packages could be matched: this scan does not say whether they are vulnerable."],
  ])("%s", (_, severities, openCount, options, text) => {
    expect(lastLine(report(severities, openCount), options)).toBe(text);
  });
});
