import { rateCvss } from "../domain/cvss.ts";
import type { AffectedPackage, Finding } from "../domain/finding.ts";
import type { ScanReport } from "../domain/report.ts";
import type { Tool } from "./tool.ts";

/**
 * CycloneDX 1.6 JSON (ECMA-424): the affected packages and a vulnerability for each finding. What could not be matched
 * stands in the properties of the document. It holds no time and no serial number, so that the same report gives the
 * same bytes.
 */
export function formatCyclonedx(report: ScanReport, tool: Tool): string {
  const components = new Map<string, AffectedPackage>();
  for (const { packages } of report.findings) for (const item of packages) components.set(refOf(item), item);
  const bom = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      tools: { components: [{ type: "application", name: tool.name, version: tool.version }] },
      ...(report.target !== undefined && { component: targetOf(report.target) }),
    },
    components: [...components].map(([ref, { name, version, purl }]) => ({
      type: "library",
      "bom-ref": ref,
      name,
      ...(version !== undefined && { version }),
      ...(purl !== undefined && { purl }),
    })),
    vulnerabilities: report.findings.map(vulnerabilityOf),
    properties: propertiesOf(report),
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}

function targetOf({ kind, name, os }: NonNullable<ScanReport["target"]>) {
  const type = kind === "image" ? "container" : kind === "host" || kind === "rootfs" ? "operating-system" : "file";
  const properties = os === undefined ? [] : [{ name: "qinfra:os", value: os }];
  return { type, "bom-ref": "scan-target", name, ...(properties.length > 0 && { properties }) };
}

function vulnerabilityOf(finding: Finding) {
  const { advisory, aliases, summary, severity, fixedVersion, packages } = finding;
  return {
    "bom-ref": ["finding", advisory, finding.ecosystem, finding.source, finding.sourceVersion, finding.matchedBy].join("|"),
    id: advisory,
    source: { name: databaseOf(advisory) },
    ...(aliases.length > 0 && { references: [...new Set(aliases)].map((id) => ({ id, source: { name: databaseOf(id) } })) }),
    ratings: [ratingOf(severity, finding.vector)],
    ...(summary !== undefined && { description: summary }),
    ...(fixedVersion !== null && { recommendation: `Update ${finding.matchedSource ?? finding.source} to ${fixedVersion}` }),
    affects: packages.map((item) => ({
      ref: refOf(item),
      ...(item.version !== undefined && { versions: [{ version: item.version, status: "affected" }] }),
    })),
    properties: [
      { name: "qinfra:source", value: finding.source },
      { name: "qinfra:sourceVersion", value: finding.sourceVersion },
      { name: "qinfra:matchedBy", value: finding.matchedBy },
      ...(fixedVersion === null ? [] : [{ name: "qinfra:fixedVersion", value: fixedVersion }]),
      ...(finding.matchedSource === undefined ? [] : [{ name: "qinfra:matchedSource", value: finding.matchedSource }]),
      ...(finding.matchedVersion === undefined ? [] : [{ name: "qinfra:matchedVersion", value: finding.matchedVersion }]),
    ],
  };
}

const methods = { "2.0": "CVSSv2", "3.0": "CVSSv3", "3.1": "CVSSv31", "4.0": "CVSSv4" } as const;

function ratingOf(severity: Finding["severity"], vector: string | undefined) {
  const rating = vector === undefined ? undefined : rateCvss(vector);
  if (rating === undefined) return { severity };
  return { severity, score: rating.score, method: methods[rating.version], vector };
}

const databases: readonly (readonly [RegExp, string])[] = [
  [/^CVE-/, "CVE"],
  [/^GHSA-/, "GitHub"],
  [/^(DSA|DLA|DTSA|DEBIAN)-/, "Debian"],
  [/^(USN|LSN|UBUNTU)-/, "Ubuntu"],
  [/^GO-/, "Go"],
  [/^RUSTSEC-/, "RustSec"],
  [/^PYSEC-/, "PyPA"],
];

function databaseOf(id: string): string {
  return databases.find(([pattern]) => pattern.test(id))?.[1] ?? "OSV";
}

function refOf({ name, version, purl }: AffectedPackage): string {
  return purl ?? [name, version].filter((part) => part !== undefined).join("@");
}

function propertiesOf({ mode, advisories, summary, couldNotMatch }: ScanReport) {
  return [
    { name: "qinfra:mode", value: mode },
    { name: "qinfra:advisories:digest", value: advisories.digest ?? "none" },
    { name: "qinfra:advisories:newest", value: advisories.newest ?? "none" },
    { name: "qinfra:packages", value: String(summary.packages) },
    { name: "qinfra:couldNotMatch", value: String(summary.couldNotMatch) },
    ...couldNotMatch.map(({ what, why }) => ({
      name: `qinfra:couldNotMatch:${why.code}`,
      value: `${refOf(what)}: ${why.text}`,
    })),
  ];
}
