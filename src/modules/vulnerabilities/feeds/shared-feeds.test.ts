import { expect, it } from "vitest";
import { sharedData, sharedDataMissing } from "../../../platform/testing/shared-data.ts";
import { loadFeed } from "./read-feed.ts";

const feeds = [
  { file: "debian.osv.jsonl.gz", records: 3648, withdrawn: 0, repeated: 0, newest: "2026-08-21T00:00:00.000Z" },
  { file: "crates.osv.jsonl.gz", records: 1206, withdrawn: 13, repeated: 0 },
  { file: "go.osv.jsonl.gz", records: 4291, withdrawn: 17, repeated: 0 },
  { file: "npm-nodejs-wg.osv.jsonl.gz", records: 458, withdrawn: 0, repeated: 0 },
  { file: "npm-retirejs.osv.jsonl.gz", records: 723, withdrawn: 0, repeated: 0 },
  { file: "pypi.osv.jsonl.gz", records: 2661, withdrawn: 10, repeated: 0 },
  { file: "maven-sample.osv.jsonl.gz", records: 356, withdrawn: 0, repeated: 0 },
  { file: "almalinux.osv.jsonl.gz", records: 5637, withdrawn: 0, repeated: 43 },
];

for (const { file, ...expected } of feeds) {
  const path = sharedData(`advisories/${file}`);
  it.skipIf(path === undefined)(`reads every record of ${file}${path === undefined ? ` (${sharedDataMissing})` : ""}`, async () => {
    const { advisories, summary } = await loadFeed({ path: path ?? "" });

    expect(summary).toMatchObject(expected);
    expect(advisories).toHaveLength(expected.records - expected.withdrawn);
  });
}
