/** A dpkg status file: a vulnerable library in two binaries, a fixed one, and one that is removed. */
export const dpkgStatus = `Package: libexample1
Status: install ok installed
Architecture: amd64
Source: example (1.0-1)
Version: 1:2.0-1

Package: example-tools
Status: install ok installed
Architecture: amd64
Source: example
Version: 1.0-1

Package: sound
Status: install ok installed
Architecture: amd64
Version: 3.0-1

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 0.1-1

`;

function record(id: string, source: string, fixed: string, severity: string | undefined, upstream: string[] = []): object {
  return {
    id, modified: "2026-11-01T00:00:00Z", summary: `About ${source}`, upstream,
    ...(severity !== undefined && { severity: [{ type: "CVSS_V3", score: severity }] }),
    affected: [{ package: { ecosystem: "Debian:12", name: source }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed }] }] }],
  };
}

const high = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N";
const low = "CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N";

const lines = (records: object[]): string => records.map((each) => `${JSON.stringify(each)}\n`).join("");

/** The library by a high severity, and a package that is fixed. */
export const feedHigh = lines([record("DSA-1-1", "example", "1.0-2", high, ["CVE-2026-0001", "CVE-2026-0002"]), record("DSA-2-1", "sound", "2.0-1", high)]);
export const feedLow = lines([record("DSA-3-1", "example", "1.0-2", low, ["CVE-2026-0003"])]);
export const feedUnknown = lines([record("DSA-4-1", "example", "1.0-2", undefined, ["CVE-2026-0004"])]);

/** A component that has no package URL beside one that is affected. */
export const sbom = JSON.stringify({
  bomFormat: "CycloneDX", specVersion: "1.6",
  components: [{ type: "library", name: "mystery", version: "1" }, { type: "library", name: "example", version: "1.0-1", purl: "pkg:deb/debian/example@1.0-1?distro=debian-12" }],
});
