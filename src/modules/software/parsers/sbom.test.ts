import { describe, expect, it } from "vitest";
import { coordinatesOf } from "../purl.ts";
import { cycloneDx, debian, spdx } from "../testing/fixtures.ts";
import { parseSbom } from "./sbom.ts";

const bytes = (document: unknown) => Buffer.from(typeof document === "string" ? document : JSON.stringify(document));
const withComponents = (...components: unknown[]) => bytes({ bomFormat: "CycloneDX", specVersion: "1.6", components });

describe("CycloneDX", () => {
  it("gives packages, also nested ones, and the operating system", () => {
    expect(parseSbom(bytes(cycloneDx))).toEqual({
      os: debian,
      components: [
        {
          name: "libssl3",
          version: "3.0.11-1~deb12u2",
          purl: "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl%401:3.0.11-1~deb12u2",
        },
        { name: "com.example/app", version: "1" },
        { name: "left-pad", version: "1.3.0", purl: "pkg:npm/left-pad@1.3.0" },
      ],
    });
  });

  it("takes the operating system that syft writes, also as what the document is about", () => {
    const component = {
      type: "operating-system",
      name: "Debian GNU/Linux",
      properties: [
        { name: "syft:distro:id", value: "debian" },
        { name: "syft:distro:versionID", value: "12" },
      ],
    };
    expect(parseSbom(bytes({ bomFormat: "CycloneDX", specVersion: "1.4", metadata: { component } }))).toEqual({ os: debian, components: [] });
  });

  const bare = { type: "library", name: "a", purl: "pkg:deb/debian/a@1" };
  const system = (name: string, version: string) => ({ type: "operating-system", name, version });

  it.each([
    ["one system", [bare, system("debian", "12")], "debian-12"],
    ["the same system twice", [bare, system("debian", "12"), system("debian", "12")], "debian-12"],
    ["two systems", [bare, system("debian", "12"), system("debian", "11")], undefined],
    ["another distribution", [bare, system("ubuntu", "22.04")], undefined],
    ["a purl that says its own", [{ ...bare, purl: `${bare.purl}?distro=debian-11` }, system("debian", "12")], "debian-11"],
  ])("completes distro with %s", (_, components, distro) => {
    const [component] = parseSbom(withComponents(...components)).components;
    const coordinates = component && coordinatesOf(component);
    expect(coordinates && "type" in coordinates ? coordinates.distro : "none").toBe(distro);
  });

  it("uses the given system only where the document names none", () => {
    expect(parseSbom(withComponents(bare), debian).components[0]?.purl).toContain("distro=debian-12");
    expect(parseSbom(withComponents(bare, system("debian", "11")), debian).components[0]?.purl).toContain("distro=debian-11");
  });

  it("keeps a malformed purl, and a file that has a purl", () => {
    expect(parseSbom(withComponents({ name: "a", purl: "nonsense" }, { type: "file", name: "b", purl: "pkg:npm/b@1" })).components).toEqual([
      { name: "a", purl: "nonsense" },
      { name: "b", purl: "pkg:npm/b@1" },
    ]);
  });
});

describe("SPDX", () => {
  it("gives packages with their purls and the operating system", () => {
    expect(parseSbom(bytes(spdx))).toEqual({
      os: debian,
      components: [
        { name: "libssl3", version: "3.0.11-1", purl: "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12&upstream=openssl" },
        { name: "unknown" },
      ],
    });
  });
});

describe("parseSbom", () => {
  it("reads a byte order mark and UTF-16", () => {
    expect(parseSbom(Buffer.from(`\uFEFF${JSON.stringify(spdx)}`)).components).toHaveLength(2);
    expect(parseSbom(Buffer.from(`\uFEFF${JSON.stringify(spdx)}`, "utf16le")).components).toHaveLength(2);
  });

  it.each([
    ["CycloneDX XML", '<?xml version="1.0"?>\n<bom xmlns="http://cyclonedx.org/schema/bom/1.5"/>', /CycloneDX XML, which is not read; CycloneDX JSON/],
    ["SPDX tag-value", "SPDXVersion: SPDX-2.3\n", /SPDX tag-value/],
    ["SPDX 3", { "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [] }, /SPDX 3/],
    ["Syft JSON", { artifacts: [] }, /syft can write CycloneDX/],
    ["CycloneDX of the future", { bomFormat: "CycloneDX", specVersion: "2.0" }, /CycloneDX 2\.0 cannot be read/],
    ["SPDX 2.1", { spdxVersion: "SPDX-2.1" }, /SPDX-2\.1/],
    ["a dpkg status file", "Package: a\n", /--dpkg-status/],
    ["something else", { a: 1 }, /unknown kind/],
  ])("says that it does not read %s", (_, document, message) => {
    expect(() => parseSbom(bytes(document))).toThrow(expect.objectContaining({ code: "unsupported-format", message: expect.stringMatching(message) }));
  });

  it.each([
    ["an empty file", "  \n", "empty", {}],
    ["a cut document", JSON.stringify(spdx).slice(0, 100), "truncated", { line: 1, column: expect.any(Number) }],
    ["a list that is none", withComponents().toString().replace("[]", "{}"), "wrong-structure", { jsonPath: "$.components" }],
    ["a component that is none", withComponents({ name: "a", components: [1] }).toString(), "wrong-structure", { jsonPath: "$.components[0].components[0]" }],
    ["a component without name", withComponents({ version: "1" }).toString(), "wrong-structure", { jsonPath: "$.components[0]" }],
    ["a version that is a number", withComponents({ name: "a", version: 1 }).toString(), "wrong-structure", { jsonPath: "$.components[0].version" }],
    ["a package without name", '{"spdxVersion":"SPDX-2.3","packages":[{}]}', "wrong-structure", { jsonPath: "$.packages[0]" }],
  ])("refuses %s with its place", (_, text, code, location) => {
    expect(() => parseSbom(bytes(text))).toThrow(expect.objectContaining({ code, location }));
  });

  it("refuses components nested deeper than 64", () => {
    const nested = (depth: number): object => (depth === 0 ? { name: "a" } : { name: "a", components: [nested(depth - 1)] });
    expect(parseSbom(withComponents(nested(63))).components).toHaveLength(64);
    expect(() => parseSbom(withComponents(nested(64)))).toThrow(expect.objectContaining({ code: "too-large" }));
  });
});
