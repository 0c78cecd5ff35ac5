import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { sharedData, sharedDataMissing } from "../../../../platform/testing/shared-data.ts";
import { compareDeb } from "./deb.ts";
import { compareSemver } from "./semver.ts";

const files = [
  { file: "versions/deb.tsv.gz", compare: compareDeb, rows: 11_569 },
  { file: "versions/semver.tsv", compare: compareSemver, rows: 67 },
];

for (const { file, compare, rows } of files) {
  const path = sharedData(file);
  it.skipIf(path === undefined)(`orders every pair of ${file}${path === undefined ? ` (${sharedDataMissing})` : ""}`, () => {
    const lines = textOf(path ?? "").trim().split("\n").slice(1);

    const wrong = lines.filter((line) => {
      const [left = "", operator, right = ""] = line.split("\t");
      return signOf(compare(left, right)) !== operator || signOf(compare(right, left)) !== mirrored(operator);
    });

    expect(wrong).toEqual([]);
    expect(lines).toHaveLength(rows);
  });
}

function textOf(path: string): string {
  const bytes = readFileSync(path);
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
}

function signOf(order: number | undefined): string {
  if (order === undefined) return "cannot compare";
  return order < 0 ? "<" : order > 0 ? ">" : "=";
}

function mirrored(operator: string | undefined): string | undefined {
  return operator === "<" ? ">" : operator === ">" ? "<" : operator;
}
