import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { sharedData, sharedDataMissing } from "../../../platform/testing/shared-data.ts";
import type { Component } from "../../software/component.ts";
import { parseDpkgStatus } from "../../software/parsers/dpkg-status.ts";
import { loadFeed } from "../feeds/read-feed.ts";
import { indexAdvisories } from "./advisory-index.ts";
import { match } from "./match.ts";

const feed = sharedData("advisories/debian.osv.jsonl.gz");
const debian12 = { id: "debian", versionId: "12" };

const inventories = [
  { profile: "minbase", status: "inventory/debian12.15-minbase.dpkg-status", packages: 96, entries: 0, cves: 0 },
  { profile: "server", status: "inventory/debian12.15-server.dpkg-status.gz", packages: 656, entries: 14, cves: 274 },
  { profile: "desktop", status: "inventory/debian12.15-desktop.dpkg-status.gz", packages: 1768, entries: 26, cves: 679 },
];

describe.skipIf(feed === undefined)(`real package lists${feed === undefined ? ` (${sharedDataMissing})` : ""}`, async () => {
  const loaded = feed === undefined ? undefined : await loadFeed({ path: feed });
  const index = indexAdvisories(loaded?.advisories ?? []);

  it.each(inventories)("$profile: exactly the expected findings", ({ profile, status, packages, entries, cves }) => {
    const components = componentsOf(status);
    const result = match(components, index);

    const bySource = result.findings.filter(({ matchedBy }) => matchedBy === "source");
    const found = bySource.map(({ advisory, source, sourceVersion, fixedVersion, aliases }) => ({
      advisory,
      source,
      installed: sourceVersion,
      fixed: fixedVersion,
      cves: aliases.toSorted(),
    }));
    expect(found.toSorted(byAdvisory)).toEqual(expectedOf(profile).toSorted(byAdvisory));
    expect(found).toHaveLength(entries);
    expect(new Set(found.flatMap((finding) => finding.cves)).size).toBe(cves);
    expect(result.packages).toBe(packages);
    expect(result.couldNotMatch).toEqual([]);
  });

  it("desktop: every other finding is the signed kernel's, and is what linux itself would have", () => {
    const { findings } = match(componentsOf("inventory/debian12.15-desktop.dpkg-status.gz"), index);
    const others = findings.filter(({ matchedBy }) => matchedBy !== "source");
    const kernel: Component = {
      name: "linux",
      version: "6.1.176-1",
      purl: "pkg:deb/debian/linux@6.1.176-1?arch=source&distro=debian-12",
    };
    const own = match([kernel], index).findings.map(({ advisory, fixedVersion }) => ({ advisory, fixedVersion }));
    expect(own.length).toBeGreaterThan(0);
    expect(others.map(({ advisory, fixedVersion }) => ({ advisory, fixedVersion }))).toEqual(own);
    for (const finding of others) {
      expect(finding).toMatchObject({
        source: "linux-signed-amd64",
        sourceVersion: "6.1.176+1",
        matchedBy: "signed-source",
        matchedSource: "linux",
        matchedVersion: "6.1.176-1",
      });
    }
  });
});

interface Expected {
  advisory: string;
  source: string;
  installed: string;
  fixed: string | null;
  cves: string[];
}

function componentsOf(status: string): Component[] {
  return parseDpkgStatus(textOf(status), debian12);
}

function expectedOf(profile: string): Expected[] {
  const lines = textOf(`inventory/debian12.15-${profile}.expected.jsonl.gz`).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Expected).map((row) => ({ ...row, cves: row.cves.toSorted() }));
}

function textOf(path: string): string {
  const bytes = readFileSync(sharedData(path) ?? "");
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

function byAdvisory(a: Expected, b: Expected): number {
  return a.advisory + a.source < b.advisory + b.source ? -1 : 1;
}
