import { describe, expect, it } from "vitest";
import type { CouldNotMatch, Finding } from "../domain/finding.ts";
import { buildReport } from "../domain/report.ts";
import { formatCyclonedx } from "./cyclonedx.ts";
import { formatJson } from "./json.ts";
import { formatSarif } from "./sarif.ts";
import { formatTable } from "./table.ts";

const tool = { name: "qinfra", version: "1.2.3" };
const vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
const purl = (name: string) => `pkg:deb/debian/${name}@6.1.176-1?distro=debian-12`;
const kernels = ["linux-image-a", "linux-image-b", "linux-image-c"];

const signed: Finding = {
  advisory: "DLA-1",
  aliases: ["CVE-2026-0001", "CVE-2026-0002"],
  summary: "linux - security update",
  ecosystem: "Debian:12",
  source: "linux-signed-amd64",
  sourceVersion: "6.1.176+1",
  matchedBy: "signed-source",
  matchedSource: "linux",
  matchedVersion: "6.1.176-1",
  fixedVersion: "6.1.177-1",
  severity: "unknown",
  packages: kernels.map((name) => ({ name, version: "6.1.176-1", purl: purl(name) })),
};
const library: Finding = {
  advisory: "GHSA-x",
  aliases: [],
  ecosystem: "npm",
  source: "lib",
  sourceVersion: "1.0.0",
  matchedBy: "package",
  fixedVersion: null,
  severity: "critical",
  vector,
  packages: [{ name: "lib", version: "1.0.0" }],
};
const open: CouldNotMatch[] = [
  { what: { name: "old", version: "1" }, why: { code: "unknown-release", text: '"debian-99" is not a release' } },
  { what: { name: "odd" }, why: { code: "no-purl", text: "it has no purl" } },
];
const report = buildReport(
  { findings: [signed, library], couldNotMatch: open, packages: 9 },
  {
    mode: "local",
    target: { kind: "dpkg-status", name: "my status", os: "debian-12" },
    advisories: { digest: "sha256:0", newest: "2026-08-21T00:00:00.000Z" },
  },
);
const empty = buildReport({ findings: [], couldNotMatch: [], packages: 3 }, { mode: "server", advisories: { digest: null, newest: null } });

it("json is the report", () => {
  expect(JSON.parse(formatJson(report))).toEqual(report);
  expect(formatJson(report).endsWith("}\n")).toBe(true);
});

describe("sarif", () => {
  const log = JSON.parse(formatSarif(report, tool));
  const run = log.runs[0];

  it("has a rule for each advisory and a result for each finding", () => {
    expect(log.version).toBe("2.1.0");
    expect(run.tool.driver).toMatchObject({ name: "qinfra", version: "1.2.3" });
    expect(run.tool.driver.rules.map((rule: { id: string }) => rule.id)).toEqual(["DLA-1", "GHSA-x"]);
    expect(run.results).toMatchObject([
      { ruleId: "DLA-1", ruleIndex: 0, level: "warning", locations: [{ physicalLocation: { artifactLocation: { uri: "my%20status" } } }] },
      { ruleId: "GHSA-x", ruleIndex: 1, level: "error" },
    ]);
    expect(run.results[0].message.text).toBe(
      `DLA-1 affects linux-signed-amd64 6.1.176+1 (that is linux 6.1.176-1), fixed in 6.1.177-1. Packages: ${kernels.join(", ")}.`,
    );
    expect(new Set(run.results.map((result: { partialFingerprints: object }) => JSON.stringify(result.partialFingerprints))).size).toBe(2);
  });

  it("gives a score only where a vector gives one", () => {
    const [first, second] = run.tool.driver.rules;
    expect(first.properties).toEqual({ tags: ["security", "vulnerability", "CVE-2026-0001", "CVE-2026-0002"] });
    expect(second.properties["security-severity"]).toBe("9.8");
  });

  it("says what could not be matched", () => {
    const texts = run.invocations[0].toolExecutionNotifications.map((item: { message: { text: string } }) => item.message.text);
    expect(texts).toEqual(['old 1 could not be matched: "debian-99" is not a release', "odd could not be matched: it has no purl"]);
  });
});

describe("cyclonedx", () => {
  const bom = JSON.parse(formatCyclonedx(report, tool));

  it("names each affected package once and refers to it", () => {
    expect(bom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1 });
    const refs = bom.components.map((component: { "bom-ref": string }) => component["bom-ref"]);
    expect(refs).toEqual([...kernels.map(purl), "lib@1.0.0"]);
    const affected = bom.vulnerabilities.flatMap((item: { affects: { ref: string }[] }) => item.affects.map(({ ref }) => ref));
    expect(affected).toEqual(refs);
  });

  it("carries ids, rating and fix", () => {
    expect(bom.vulnerabilities).toMatchObject([
      {
        id: "DLA-1",
        source: { name: "Debian" },
        references: [{ id: "CVE-2026-0001", source: { name: "CVE" } }, { id: "CVE-2026-0002" }],
        ratings: [{ severity: "unknown" }],
        recommendation: "Update linux to 6.1.177-1",
      },
      { id: "GHSA-x", ratings: [{ severity: "critical", score: 9.8, method: "CVSSv31", vector }] },
    ]);
    expect(bom.vulnerabilities[1]).not.toHaveProperty("recommendation");
  });

  it("says what could not be matched", () => {
    expect(bom.properties).toContainEqual({ name: "qinfra:couldNotMatch", value: "2" });
    expect(bom.properties).toContainEqual({ name: "qinfra:couldNotMatch:no-purl", value: "odd: it has no purl" });
  });
});

describe("table", () => {
  it("shows what was scanned, its findings, the worst first, and what could not be matched", () => {
    expect(formatTable(report)).toBe(
      `my status: debian-12, 9 packages

SEVERITY  ADVISORY  SOURCE              INSTALLED  FIXED IN   CVES  PACKAGES
critical  GHSA-x    lib                 1.0.0      -          0     lib
unknown   DLA-1     linux-signed-amd64  6.1.176+1  6.1.177-1  2     linux-image-a, linux-image-b, linux-image-c

Could not match 2 packages:
  1 unknown-release: "debian-99" is not a release
    old 1
  1 no-purl: it has no purl
    odd
`,
    );
  });

  it.each([20, 40, 72, 84, 100, 200])("keeps to %d characters", (width) => {
    const lines = formatTable(report, { width }).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
  });

  it("shortens a long list of packages by counting the rest", () => {
    expect(formatTable(report, { width: 90 })).toContain("linux-image-a +2\n");
  });

  it("puts the packages on a line of their own where there is no room beside", () => {
    expect(formatTable(report, { width: 72 })).toContain("\n  linux-image-a, linux-image-b, linux-image-c\n");
  });

  it("is coloured only when asked", () => {
    expect(formatTable(report)).not.toContain("\u001B");
    expect(formatTable(report, { colour: true })).toContain("\u001B[35mcritical\u001B[39m");
  });

  it("lets no name control the terminal", () => {
    const hostile = { ...library, packages: [{ name: "a\u001B[2Jb\nc\u202E" }] };
    const text = formatTable(buildReport({ findings: [hostile], couldNotMatch: [], packages: 1 }, { mode: "local", advisories: { digest: null, newest: null } }));
    expect(text).toContain("a?[2Jb?c?");
  });

  it("says that there is nothing", () => {
    expect(formatTable(empty)).toBe("No findings.\n");
    expect(formatTable({ ...empty, summary: { ...empty.summary, packages: 0 } })).toBe("No packages.\n");
  });
});
