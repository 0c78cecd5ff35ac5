import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { InputError } from "./input-error.ts";
import { parseInput } from "./parse-input.ts";
import { parseApkInstalled } from "./parsers/apk-installed.ts";
import { parseDpkgStatus } from "./parsers/dpkg-status.ts";
import { languageComponent } from "./parsers/language-packages.ts";
import { parseOsRelease } from "./parsers/os-release.ts";
import { parseSbom } from "./parsers/sbom.ts";
import { coordinatesOf, parsePurl } from "./purl.ts";
import { apkInstalled, cycloneDx, debian, dpkgStatus, osRelease, spdx } from "./testing/fixtures.ts";
import { ociLayout, tarOf } from "./testing/image-fixture.ts";

/** mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below | 0;
  };
}

/** Cut somewhere, or with one to eight bytes changed. */
function* damaged(content: Buffer, count: number): Generator<Buffer> {
  const random = randomFrom(20261121);
  for (let run = 0; run < count; run += 1) {
    if (run % 3 === 0) {
      yield content.subarray(0, random(content.length));
      continue;
    }
    const copy = Buffer.from(content);
    for (let flips = 1 + random(8); flips > 0; flips -= 1) copy[random(copy.length)] = random(256);
    yield copy;
  }
}

function outcome(parse: () => unknown): unknown {
  try {
    parse();
    return "read";
  } catch (error) {
    return error instanceof InputError ? "refused" : error;
  }
}

describe("damaged input is read or refused with an InputError, nothing else", () => {
  it.each([
    ["dpkg status", dpkgStatus, (content: Buffer) => parseDpkgStatus(content.toString(), debian).map(coordinatesOf)],
    ["apk database", apkInstalled, (content: Buffer) => parseApkInstalled(content.toString(), debian).map(coordinatesOf)],
    ["os-release", osRelease, (content: Buffer) => parseOsRelease(content.toString())],
    ["CycloneDX", JSON.stringify(cycloneDx), (content: Buffer) => parseSbom(content).components.map(coordinatesOf)],
    ["SPDX", JSON.stringify(spdx, undefined, 1), (content: Buffer) => parseSbom(content).components.map(coordinatesOf)],
    ["package.json", '{"name":"@a/b","version":"1.0.0"}', (content: Buffer) => languageComponent("node_modules/b/package.json", content)],
    ["Python metadata", "Metadata-Version: 2.1\nName: a\nVersion: 1\n\n", (content: Buffer) => languageComponent("a.dist-info/METADATA", content)],
    ["purl", "pkg:deb/debian/a%2B@1:2?arch=b&upstream=c%40d#e", (content: Buffer) => parsePurl(content.toString())],
  ])("%s", (_, text, parse) => {
    const outcomes = new Set([...damaged(Buffer.from(text), 600)].map((content) => outcome(() => parse(content))));
    expect([...outcomes].filter((one) => one !== "read" && one !== "refused")).toEqual([]);
  });

  it.each([
    ["plain", (layer: Buffer) => layer, (tar: Buffer) => tar],
    ["gzip", gzipSync, (tar: Buffer) => tar],
    ["zstd", zstdCompressSync, gzipSync],
  ])("image, %s", async (name, packLayer, packArchive) => {
    const layer = packLayer(await tarOf([["etc/os-release", osRelease], ["var/lib/dpkg/status", dpkgStatus], ["a", { symlink: "b" }]]));
    const archive = packArchive(await tarOf([...ociLayout([{ layers: [layer] }])]));
    const folder = await mkdtemp(join(tmpdir(), "qinfra-fuzz-"));
    const path = join(folder, `${name}.tar`);
    const unexpected: unknown[] = [];
    let refused = 0;
    try {
      for (const content of damaged(archive, 90)) {
        await writeFile(path, content);
        await parseInput({ kind: "oci-layout", path }).catch((error: unknown) => {
          if (error instanceof InputError) refused += 1;
          else unexpected.push(error);
        });
      }
    } finally {
      await rm(folder, { recursive: true });
    }
    expect(unexpected).toEqual([]);
    expect(refused).toBeGreaterThan(30);
  });
});
