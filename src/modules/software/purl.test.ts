import { describe, expect, it } from "vitest";
import { coordinatesOf, formatPurl, parsePurl } from "./purl.ts";

describe("a purl round-trips", () => {
  const versions = ["1:12.2.0-14+deb12u1", "2.36-9~bpo11+1", "1.0+dfsg~rc1-1+b2", "20230311"];
  it.each(versions)("deb version %s", (version) => {
    const text = formatPurl({ type: "deb", namespace: "debian", name: "libstdc++6", version, qualifiers: { upstream: `gcc-12@${version}` } });
    expect(text).not.toContain("+");
    expect(parsePurl(text)).toEqual({
      type: "deb",
      namespace: "debian",
      name: "libstdc++6",
      version,
      qualifiers: { upstream: `gcc-12@${version}` },
    });
  });

  it("writes names with other characters", () => {
    expect(formatPurl({ type: "npm", namespace: "@scope", name: "a b", version: "1.0.0+x" })).toBe("pkg:npm/%40scope/a%20b@1.0.0%2Bx");
  });
});

describe("coordinatesOf", () => {
  it.each([
    ["plain", "pkg:deb/debian/libstdc++6@1:12.2.0-14+deb12u1?arch=amd64&distro=debian-12&upstream=gcc+x@1:2+b"],
    ["percent-encoded", "pkg:deb/debian/libstdc%2B%2B6@1%3A12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12&upstream=gcc%2Bx%401%3A2%2Bb"],
  ])("reads + and : that are %s", (_, purl) => {
    expect(coordinatesOf({ name: "x", purl })).toEqual({
      type: "deb",
      namespace: "debian",
      name: "libstdc++6",
      version: "1:12.2.0-14+deb12u1",
      arch: "amd64",
      distro: "debian-12",
      upstream: { name: "gcc+x", version: "1:2+b" },
    });
  });

  it.each([
    ["an epoch beside the version", { name: "a", purl: "pkg:deb/debian/a@1-2?epoch=3" }, { version: "3:1-2" }],
    ["an epoch in both places", { name: "a", purl: "pkg:deb/debian/a@3:1-2?epoch=3" }, { version: "3:1-2" }],
    ["the component's version where the purl has none", { name: "a", version: "7", purl: "pkg:npm/a" }, { version: "7" }],
    ["an upstream without version", { name: "a", purl: "pkg:deb/debian/a@1?upstream=src" }, { upstream: { name: "src" } }],
    ["an encoded % in a qualifier", { name: "a", purl: "pkg:deb/debian/a@1?upstream=100%25" }, { upstream: { name: "100%" } }],
    ["a Go version that is no semantic version", { name: "b", purl: "pkg:golang/github.com/A/b@v1#sub" }, { namespace: "github.com/A", name: "b", version: "v1" }],
    ["an npm name in capitals", { name: "JSONStream", purl: "pkg:npm/JSONStream@1.0.0" }, { name: "JSONStream" }],
    ["a Python name in any spelling", { name: "Foo_Bar", purl: "pkg:pypi/Foo_Bar@1" }, { name: "foo-bar" }],
  ])("reads %s", (_, component, expected) => {
    expect(coordinatesOf(component)).toMatchObject(expected);
  });

  it.each(["", "foo", "pkg:deb", "pkg:deb/", "pkg:deb/debian/a@%zz", "pkg:deb/debian/a@1?arch=%zz", "http://example.org/a", "pkg:maven/no-group@1"])("says that %j is malformed", (purl) => {
    expect(coordinatesOf({ name: "a", purl })).toEqual({ malformed: expect.stringMatching(/./) });
  });

  it("has none without a purl", () => {
    expect(coordinatesOf({ name: "a", version: "1" })).toBeUndefined();
  });
});
