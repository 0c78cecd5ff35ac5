import { describe, expect, it } from "vitest";
import { coordinatesOf } from "../purl.ts";
import { debian, dpkgStatus } from "../testing/fixtures.ts";
import { parseDpkgStatus } from "./dpkg-status.ts";

const stanza = (status: string, rest = "Version: 1\n") => `Package: a\nStatus: ${status}\n${rest}\n`;

describe("parseDpkgStatus", () => {
  it("gives installed packages with their source", () => {
    expect(parseDpkgStatus(dpkgStatus, debian)).toEqual([
      {
        name: "libstdc++6",
        version: "12.2.0-14+deb12u1",
        purl: "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-14",
      },
      { name: "bash", version: "1:5.2~rc1-2+b13", purl: "pkg:deb/debian/bash@1:5.2~rc1-2%2Bb13?arch=amd64&distro=debian-12" },
    ]);
  });

  it.each([
    ["another name and version", "Source: src (2)", { name: "src", version: "2" }],
    ["another name", "Source: src", { name: "src" }],
    ["the same name and another version", "Source: a (2)", { name: "a", version: "2" }],
    ["the same name and version", "Source: a (1)", undefined],
    ["a signed kernel's", "Source: linux-signed-amd64 (6.1.176+1)", { name: "linux-signed-amd64", version: "6.1.176+1" }],
  ])("names a source with %s", (_, field, upstream) => {
    const [component] = parseDpkgStatus(stanza("install ok installed", `${field}\nVersion: 1\n`), debian);
    expect(component && coordinatesOf(component)).toMatchObject({ name: "a", version: "1", ...(upstream && { upstream }) });
    expect(component?.purl?.includes("upstream")).toBe(upstream !== undefined);
  });

  it.each([
    ["install ok installed", 1],
    ["hold ok installed", 1],
    ["install ok unpacked", 1],
    ["install reinstreq half-configured", 1],
    ["install ok triggers-awaited", 1],
    ["install ok triggers-pending", 1],
    ["install reinstreq half-installed", 0],
    ["deinstall ok config-files", 0],
    ["purge ok not-installed", 0],
  ])("status %s counts %i packages", (status, count) => {
    expect(parseDpkgStatus(stanza(status), debian)).toHaveLength(count);
  });

  it("keeps a package without a version", () => {
    const text = `${stanza("install ok installed", "")}${stanza("install ok installed")}`;
    expect(parseDpkgStatus(text, debian)[0]).toEqual({ name: "a", purl: "pkg:deb/debian/a?distro=debian-12" });
  });

  it("has no purl without an operating system, and no number for a rolling release", () => {
    expect(parseDpkgStatus(stanza("install ok installed"), undefined)).toEqual([{ name: "a", version: "1" }]);
    expect(parseDpkgStatus(stanza("install ok installed"), { id: "debian", versionId: "" })[0]?.purl).toBe("pkg:deb/debian/a@1?distro=debian");
  });

  it("reads control data, which has no status and may lack the last line break", () => {
    expect(parseDpkgStatus("Package: a\nVersion: 1", debian, { kind: "control" })).toHaveLength(1);
  });

  it.each([
    ["nothing", "", "empty", undefined],
    ["prose", "Hello there\n", "malformed", 1],
    ["a JSON document", '{"a": 1}\n', "malformed", 1],
    ["a stanza without Package", "Status: install ok installed\nVersion: 1\n\n", "malformed", 1],
    ["a stanza without Status", "Package: a\nVersion: 1\n\n", "malformed", 1],
    ["an unknown status", stanza("install ok sleeping"), "malformed", 1],
    ["a field twice", "Package: a\nPackage: b\n\n", "malformed", 2],
    ["a continuation first", " text\n", "malformed", 1],
    ["a name that is none", "Package: a b\nStatus: install ok installed\nVersion: 1\n\n", "malformed", 1],
    ["an end inside a line", "Package: a\nStatus: install ok installed\nVersion: 1", "truncated", 3],
    ["an end inside a stanza", `${stanza("install ok installed")}Package: b\nStatus: install ok installed\n`, "truncated", 5],
  ])("refuses %s with its line", (_, text, code, line) => {
    expect(() => parseDpkgStatus(text, debian)).toThrow(expect.objectContaining({ code, location: line === undefined ? {} : { line } }));
  });
});
