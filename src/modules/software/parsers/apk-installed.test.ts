import { describe, expect, it } from "vitest";
import { apkInstalled } from "../testing/fixtures.ts";
import { parseApkInstalled } from "./apk-installed.ts";

const alpine = { id: "alpine", versionId: "3.18.4" };

describe("parseApkInstalled", () => {
  it("gives packages with their origin", () => {
    expect(parseApkInstalled(apkInstalled, alpine)).toEqual([
      { name: "musl-utils", version: "1.2.4-r2", purl: "pkg:apk/alpine/musl-utils@1.2.4-r2?arch=x86_64&distro=alpine-3.18.4&upstream=musl" },
      { name: "zlib", version: "1.3-r0", purl: "pkg:apk/alpine/zlib@1.3-r0?arch=x86_64&distro=alpine-3.18.4" },
    ]);
  });

  it.each([
    ["a line that is none", "P:a\nHello\n", "malformed", 2],
    ["a stanza without a name", "V:1\n\n", "malformed", 1],
    ["an end inside a line", "P:a\nV:1", "truncated", 2],
  ])("refuses %s", (_, text, code, line) => {
    expect(() => parseApkInstalled(text, alpine)).toThrow(expect.objectContaining({ code, location: { line } }));
  });
});
