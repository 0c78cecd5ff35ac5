import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { sharedData, sharedDataMissing } from "../../../platform/testing/shared-data.ts";
import { rateCvss } from "./cvss.ts";

describe("rateCvss", () => {
  it.each([
    ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "critical"],
    ["CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", 8.1, "high"],
    ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0, "none"],
    ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N", 6.9, "medium"],
    ["AV:N/AC:L/Au:N/C:C/I:C/A:C", 10, "high"],
    ["(AV:L/AC:H/Au:M/C:P/I:N/A:N)", 0.8, "low"],
  ])("%s is %d, %s", (vector, score, severity) => {
    expect(rateCvss(vector)).toMatchObject({ score, severity });
  });

  it.each(["", "garbage", "CVSS:3.1/AV:N", "CVSS:3.1/AV:Q/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:9.9/AV:N", "AV:N", "7.5", "AV::N/AC:L/Au:N/C:C/I:C/A:C", "AV:N/AV:L/AC:L/Au:N/C:C/I:C/A:C"])(
    "cannot rate %j",
    (vector) => expect(rateCvss(vector)).toBeUndefined(),
  );
});

const vectors = sharedData("intel/cvss-vectors.jsonl.gz");
it.skipIf(vectors === undefined)(`gives every expected score${vectors === undefined ? ` (${sharedDataMissing})` : ""}`, () => {
  const lines = gunzipSync(readFileSync(vectors ?? "")).toString("utf8").trim().split("\n");
  const wrong = lines.filter((line) => {
    const row = JSON.parse(line) as { version: string; vector: string; base?: number; score?: number };
    const rating = rateCvss(row.vector);
    return rating?.score !== (row.base ?? row.score) || rating?.version !== row.version;
  });
  expect(wrong).toEqual([]);
  expect(lines).toHaveLength(6094);
});
