import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { sharedData, sharedDataMissing } from "../../platform/testing/shared-data.ts";
import { InputError } from "./input-error.ts";
import { parseDpkgStatus } from "./parsers/dpkg-status.ts";
import { parseSbom } from "./parsers/sbom.ts";
import { coordinatesOf } from "./purl.ts";
import { debian } from "./testing/fixtures.ts";

const inventory = sharedData("inventory");
const sboms = sharedData("sbom");
const suffix = (path: string | undefined) => (path === undefined ? ` (${sharedDataMissing})` : "");

/** The data's own names: large files end in `.gz` on disk. */
function contentOf(folder: string, name: string): Buffer {
  const path = join(folder, name);
  const content = readFileSync(existsSync(path) ? path : `${path}.gz`);
  return content[0] === 0x1f && content[1] === 0x8b ? gunzipSync(content) : content;
}

describe.skipIf(inventory === undefined)(`package sets of Debian 12.15${suffix(inventory)}`, () => {
  it.each([
    ["minbase", 96, 67],
    ["server", 656, 413],
    ["desktop", 1768, 1050],
  ])("%s: %i packages from %i sources", (profile, packages, sources) => {
    const text = contentOf(inventory ?? "", `debian12.15-${profile}.dpkg-status`).toString("utf8");
    const coordinates = parseDpkgStatus(text, debian).map(coordinatesOf);
    const names = coordinates.map((item) => (item && "type" in item ? (item.upstream?.name ?? item.name) : "malformed"));
    expect(coordinates).toHaveLength(packages);
    expect(new Set(names).size).toBe(sources);
  });
});

interface IndexedSbom {
  path: string;
  format: string;
  spec: string;
  declared: "valid" | "invalid" | null;
  components: number;
}

/** Made to be wrong, though the index does not say so: each lacks the name of a component. */
const nameless = /RequredProperties\.golden$|spdx_bad_example7|missingComponentName/;

describe.skipIf(sboms === undefined)(`SBOMs of other tools${suffix(sboms)}`, () => {
  const documents = sboms === undefined ? [] : contentOf(sboms, "index.jsonl").toString("utf8").trim().split("\n").map((line) => JSON.parse(line) as IndexedSbom);
  const isRead = ({ format }: IndexedSbom) => format === "cyclonedx-json" || format === "spdx-json";

  it("are read unless they are invalid, with all components that are packages", () => {
    const refused: string[] = [];
    let [indexed, read] = [0, 0];
    const more: string[] = [];
    for (const document of documents.filter((one) => isRead(one) && one.declared !== "invalid" && !nameless.test(one.path))) {
      try {
        const { components } = parseSbom(contentOf(sboms ?? "", document.path));
        components.forEach(coordinatesOf);
        indexed += document.components;
        read += components.length;
        if (components.length > document.components) more.push(document.path);
      } catch (error) {
        refused.push(`${document.path}: ${String(error)}`);
      }
    }
    expect(refused).toEqual([]);
    expect(more).toEqual([]);
    // Less than one in a hundred is an operating system, a file, data or a cryptographic asset.
    expect(read / indexed).toBeGreaterThan(0.99);
    expect(documents.length).toBeGreaterThan(1000);
  });

  it("are refused with an InputError where they are invalid or in another format", () => {
    const outcomes = documents.filter((one) => !isRead(one) || one.declared === "invalid").map((document) => {
      try {
        parseSbom(contentOf(sboms ?? "", document.path));
        return isRead(document) ? "read" : `${document.path} was read as ${document.format}`;
      } catch (error) {
        return error instanceof InputError ? "refused" : `${document.path}: ${String(error)}`;
      }
    });
    expect(outcomes.filter((outcome) => outcome !== "read" && outcome !== "refused")).toEqual([]);
  });
});
