import { describe, expect, it } from "vitest";
import type { Component } from "../../software/component.ts";
import { indexAdvisories } from "./advisory-index.ts";
import type { Advisory, Affected, RangeEvent } from "./advisory.ts";
import { distinctLookUps, lookUpsOf, match } from "./match.ts";

const debian = (name: string, fixed: string, release = "12") => affected(`Debian:${release}`, name, [{ introduced: "0" }, { fixed }]);

function affected(ecosystem: string, name: string, events: RangeEvent[], versions: string[] = []): Affected {
  const type = /^(Debian|Ubuntu|PyPI)/.test(ecosystem) ? "ECOSYSTEM" : "SEMVER";
  return { ecosystem, package: name, ranges: events.length === 0 ? [] : [{ type, events }], versions };
}

function advisory(id: string, ...entries: Affected[]): Advisory {
  return { id, aliases: [], severity: "unknown", affected: entries };
}

function component(purl: string): Component {
  const [, name = "", version] = /\/([^/@?]+)(?:@([^?]*))?(?:\?|$)/.exec(purl) ?? [];
  return { name, ...(version !== undefined && { version: decodeURIComponent(version) }), purl };
}

function run(purls: string[], ...advisories: Advisory[]) {
  return match(purls.map(component), indexAdvisories(advisories));
}

describe("match: Debian sources", () => {
  it("compares the source's version, not the binary's", () => {
    // given a binary whose own version is far above its source's
    const purls = [
      "pkg:deb/debian/libbinary1@9.0-1?arch=amd64&distro=debian-12&upstream=thing%401.0-1",
      "pkg:deb/debian/thing-tools@0.1-1?arch=amd64&distro=debian-12&upstream=thing%402.0-1",
    ];
    // when
    const { findings, couldNotMatch } = run(purls, advisory("A-1", debian("thing", "2.0-1")));
    // then only the first is affected
    expect(findings).toMatchObject([
      { advisory: "A-1", source: "thing", sourceVersion: "1.0-1", fixedVersion: "2.0-1", matchedBy: "source", packages: [{ name: "libbinary1" }] },
    ]);
    expect(couldNotMatch).toEqual([]);
  });

  it("takes the binary's version for a source without one, less a rebuild", () => {
    const { findings } = run(
      ["pkg:deb/debian/libthing1@1.0-1%2Bb2?distro=debian-12&upstream=thing", "pkg:deb/debian/thing@1.0-1?distro=debian-12"],
      advisory("A-1", debian("thing", "1.0-1+deb12u1")),
    );
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ sourceVersion: "1.0-1", packages: [{ name: "libthing1" }, { name: "thing" }] });
  });

  it("does not match a binary by its own name when its source is another", () => {
    const { findings } = run(["pkg:deb/debian/thing@1.0?distro=debian-12&upstream=other"], advisory("A-1", debian("thing", "2.0")));
    expect(findings).toEqual([]);
  });

  it("keeps sources in two versions apart and lists each binary once, sorted", () => {
    const purls = ["b", "a", "b"].map((name) => `pkg:deb/debian/${name}@1?distro=debian-12&upstream=thing%401`);
    const { findings, packages } = run([...purls, "pkg:deb/debian/c@1?distro=debian-12&upstream=thing%401.5"], advisory("A-1", debian("thing", "2")));
    expect(findings.map((finding) => [finding.sourceVersion, finding.packages.map(({ name }) => name)])).toEqual([
      ["1", ["a", "b"]],
      ["1.5", ["c"]],
    ]);
    expect(packages).toBe(4);
  });

  it("matches a signed kernel as the linux that it is, apart from linux itself", () => {
    const { findings } = run(
      [
        "pkg:deb/debian/linux-image-6.1.0-42-amd64@6.1.176-1?distro=debian-12&upstream=linux-signed-amd64%406.1.176%2B1",
        "pkg:deb/debian/linux-libc-dev@6.1.176-1?distro=debian-12&upstream=linux",
      ],
      advisory("A-1", debian("linux", "6.1.177-1")),
    );
    expect(findings).toMatchObject([
      { source: "linux", sourceVersion: "6.1.176-1", matchedBy: "source", packages: [{ name: "linux-libc-dev" }] },
      {
        source: "linux-signed-amd64",
        sourceVersion: "6.1.176+1",
        matchedSource: "linux",
        matchedVersion: "6.1.176-1",
        matchedBy: "signed-source",
        fixedVersion: "6.1.177-1",
      },
    ]);
    expect(findings[0]).not.toHaveProperty("matchedSource");
  });

  it.each([
    ["linux-signed-amd64", "4.19.118+2+deb10u1", "linux", "4.19.118-2+deb10u2"],
    ["linux-signed-arm64", "6.12.9+1~bpo12+1", "linux", "6.12.9-1~bpo12+2"],
    ["linux-signed-6.1-i386", "6.1.119+1~deb11u1", "linux-6.1", "6.1.119-1~deb11u2"],
  ])("reads %s %s as %s just below %s", (source, version, kernel, fixed) => {
    const purl = `pkg:deb/debian/linux-image@1?distro=debian-12&upstream=${source}%40${encodeURIComponent(version)}`;
    expect(run([purl], advisory("A-1", debian(kernel, fixed))).findings).toMatchObject([{ matchedBy: "signed-source", matchedSource: kernel }]);
    const same = advisory("A-1", debian(kernel, fixed.replace(/2$/, "1")));
    expect(run([purl], same).findings).toEqual([]);
  });

  it("reads Ubuntu without its :LTS, and keeps Pro apart", () => {
    const { findings } = run(
      ["pkg:deb/ubuntu/thing@1.0?distro=ubuntu-22.04"],
      advisory("USN-1", affected("Ubuntu:22.04:LTS", "thing", [{ introduced: "0" }, { fixed: "1.1" }])),
      advisory("USN-2", affected("Ubuntu:Pro:22.04:LTS", "thing", [{ introduced: "0" }, { fixed: "1.2" }])),
    );
    expect(findings.map((finding) => finding.advisory)).toEqual(["USN-1"]);
  });
});

describe("match: what could not be matched is counted", () => {
  const loaded = advisory("A-1", debian("thing", "2.0"));
  it.each([
    ["pkg:deb/debian/x@1?distro=debian-99", "unknown-release"],
    ["pkg:deb/debian/x@1?distro=sid", "unknown-release"],
    ["pkg:deb/debian/x@1?distro=debian", "unknown-release"],
    ["pkg:deb/debian/x@1", "no-distribution"],
    ["pkg:deb/x@1?distro=12", "unknown-distribution"],
    ["pkg:deb/raspbian/x@1?distro=raspbian-12", "unknown-distribution"],
    ["pkg:deb/debian/x@1?distro=ubuntu-22.04", "unknown-distribution"],
    ["pkg:deb/debian/x@1?distro=debian-13", "advisories-not-loaded"],
    ["pkg:npm/x@1.0.0", "advisories-not-loaded"],
    ["pkg:deb/debian/x?distro=debian-12", "no-version"],
    ["pkg:deb/debian/x@1_0?distro=debian-12", "invalid-version"],
    ["pkg:generic/x@1", "type-unsupported"],
    ["not a purl", "malformed-purl"],
  ])("%s: %s", (purl, code) => {
    const { findings, couldNotMatch } = run([purl], loaded);
    expect(findings).toEqual([]);
    expect(couldNotMatch).toMatchObject([{ what: { purl }, why: { code } }]);
  });

  it("says that a component has no purl", () => {
    expect(match([{ name: "x", version: "1" }], indexAdvisories([loaded])).couldNotMatch).toMatchObject([
      { what: { name: "x", version: "1" }, why: { code: "no-purl" } },
    ]);
  });

  it.each(["debian-12", "debian-12.15", "debian:12", "bookworm", "debian-bookworm", "12"])("reads distro %s as Debian 12", (distro) => {
    const result = run([`pkg:deb/debian/thing@1.0?distro=${distro}`], loaded);
    expect(result.findings).toHaveLength(1);
    expect(result.couldNotMatch).toEqual([]);
  });

  it("holds an advisory without a release for every release", () => {
    const everywhere = advisory("A-2", affected("Debian", "thing", [{ introduced: "0" }, { fixed: "2.0" }]));
    expect(run(["pkg:deb/debian/thing@1.0?distro=debian-11"], everywhere).findings).toMatchObject([{ advisory: "A-2", ecosystem: "Debian:11" }]);
  });

  it("counts ecosystems as loaded where the caller says so", () => {
    const index = indexAdvisories([], { ecosystems: ["Ubuntu:22.04:LTS"] });
    expect(match([component("pkg:deb/ubuntu/x@1?distro=jammy")], index).couldNotMatch).toEqual([]);
  });

  it("matches an ecosystem that is not compared only where a version is enumerated", () => {
    const advisories = [
      advisory("P-1", affected("PyPI", "My.Package", [{ introduced: "0" }, { fixed: "1.2" }], ["1.0", "1.1"])),
    ];
    const { findings, couldNotMatch } = run(
      ["pkg:pypi/my-package@1.1", "pkg:pypi/my-package@1.1.post1", "pkg:pypi/other@1"],
      ...advisories,
    );
    expect(findings).toMatchObject([{ advisory: "P-1", source: "my-package", matchedBy: "package", fixedVersion: "1.2" }]);
    expect(couldNotMatch.map(({ what, why }) => [what.name, what.version, why.code])).toEqual([
      ["my-package", "1.1.post1", "ecosystem-not-compared"],
      ["other", "1", "ecosystem-not-compared"],
    ]);
  });

  it("reports what is certain and counts the component all the same", () => {
    const { findings, couldNotMatch } = run(
      ["pkg:npm/lib@1.5.0"],
      advisory("N-1", affected("npm", "lib", [{ introduced: "0" }, { fixed: "2.0.0" }])),
      advisory("N-2", affected("npm", "lib", [{ introduced: "0" }, { fixed: "1.9.0b1" }])),
      advisory("N-3", affected("npm", "lib", [])),
    );
    expect(findings.map((finding) => finding.advisory)).toEqual(["N-1"]);
    expect(couldNotMatch).toMatchObject([{ why: { code: "advisory-undecided", text: expect.stringContaining("N-2, N-3") } }]);
  });
});

describe("match: language packages", () => {
  it.each([
    ["npm scope", "pkg:npm/%40scope/lib@1.0.0", "npm", "@scope/lib", "1.0.1"],
    ["crate", "pkg:cargo/openssl@0.8.3", "crates.io", "openssl", "0.9.0"],
    ["Go module, its case lost", "pkg:golang/github.com/masterminds/goutils@v1.1.0", "Go", "github.com/Masterminds/goutils", "1.1.1"],
    ["Go +incompatible", "pkg:golang/github.com/a/b@v2.0.2%2Bincompatible", "Go", "github.com/a/b", "2.0.3"],
    ["Go's library", "pkg:golang/stdlib@go1.22rc1", "Go", "stdlib", "1.22.0"],
    ["Swift", "pkg:swift/github.com/apple/swift-nio@2.0.0", "SwiftURL", "https://github.com/apple/swift-nio.git", "2.1.0"],
  ])("%s", (_, purl, ecosystem, name, fixed) => {
    const { findings, couldNotMatch } = run([purl], advisory("L-1", affected(ecosystem, name, [{ introduced: "0" }, { fixed }])));
    expect(findings).toMatchObject([{ advisory: "L-1", ecosystem, matchedBy: "package", fixedVersion: fixed }]);
    expect(couldNotMatch).toEqual([]);
  });

  it("affects a version that cannot be read where every version is affected, and counts it", () => {
    const { findings, couldNotMatch } = run(["pkg:golang/example.org/m@(devel)"], advisory("G-1", affected("Go", "example.org/m", [{ introduced: "0" }])));
    expect(findings).toHaveLength(1);
    expect(couldNotMatch).toMatchObject([{ why: { code: "invalid-version" } }]);
  });

  it("takes the severity that an advisory states for this package", () => {
    const entry: Affected = { ...affected("npm", "lib", [{ introduced: "0" }]), severity: "low" };
    const record: Advisory = { ...advisory("N-1", entry), severity: "critical", vector: "CVSS:4.0/..." };
    const finding = run(["pkg:npm/lib@1.0.0"], record).findings[0];
    expect(finding?.severity).toBe("low");
    expect(finding).not.toHaveProperty("vector");
  });
});

it("names what to look up for a component", () => {
  const kernel = "pkg:deb/debian/linux-image@1?distro=bookworm&upstream=linux-signed-amd64%406.1.176%2B1";
  expect(lookUpsOf(component(kernel))).toEqual([
    { ecosystem: "Debian:12", package: "linux-signed-amd64" },
    { ecosystem: "Debian", package: "linux-signed-amd64" },
    { ecosystem: "Debian:12", package: "linux" },
    { ecosystem: "Debian", package: "linux" },
  ]);
  expect(lookUpsOf(component("pkg:npm/%40a/b@1.0.0"))).toEqual([{ ecosystem: "npm", package: "@a/b" }]);
  expect(lookUpsOf({ name: "x" })).toEqual([]);
});

describe("match: limits", () => {
  it("stops at more findings than the caller can take", () => {
    const components = ["1", "2", "3"].map((version) => component(`pkg:deb/debian/thing@0.${version}-1?distro=debian-12`));
    const index = indexAdvisories([advisory("A-1", debian("thing", "2.0-1"))]);
    expect(match(components, index, { mostFindings: 3 }).findings).toHaveLength(3);
    expect(() => match(components, index, { mostFindings: 2 })).toThrow("more than 2 findings");
  });

  it("looks each package up once, however many components come from it", () => {
    const components = ["a", "b"].map((name) => component(`pkg:deb/debian/${name}@1?distro=debian-12&upstream=thing`));
    expect(distinctLookUps(components)).toEqual([{ ecosystem: "Debian:12", package: "thing" }, { ecosystem: "Debian", package: "thing" }]);
  });
});
