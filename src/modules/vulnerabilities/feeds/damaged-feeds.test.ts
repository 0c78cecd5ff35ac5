import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { FeedError } from "./feed-error.ts";
import { loadFeed } from "./read-feed.ts";

const records = Array.from({ length: 8 }, (_, at) => ({
  id: `A-${at}`,
  modified: "2026-01-01T00:00:00Z",
  severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
  affected: [{ package: { ecosystem: "npm", name: `p${at}` }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: `1.${at}.0` }] }] }],
}));
const lines = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
const forms = [lines, gzipSync(lines), Buffer.from(JSON.stringify(records)), Buffer.from(JSON.stringify(records[0], null, 2))];

/** A small generator with a fixed seed (mulberry32), so that a failure can be repeated. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

it("answers a damaged feed with FeedError or reads it, and nothing else", async () => {
  const below = numbersFrom(7);
  let refused = 0;
  for (let round = 0; round < 1500; round += 1) {
    const form = Buffer.from(forms[round % forms.length] ?? lines);
    const changes = 1 + below(3);
    for (let change = 0; change < changes; change += 1) form[below(form.length)] = below(256);
    const cut = below(3) === 0 ? form.subarray(0, below(form.length)) : form;
    const error = await loadFeed({ name: "feed", chunks: pieces(cut, 1 + below(200)) }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error === undefined) continue;
    refused += 1;
    expect(error, `round ${round}: ${String(error)}`).toBeInstanceOf(FeedError);
    expect((error as FeedError).message).toMatch(/^feed(, |: )/);
  }
  expect(refused).toBeGreaterThan(500);
});

it("refuses a feed that is cut off anywhere but between lines", async () => {
  for (let length = 1; length < lines.length; length += 7) {
    const cut = lines.subarray(0, length);
    const between = lines[length - 1] === 0x0a || lines[length] === 0x0a;
    const reading = loadFeed({ name: "feed", chunks: pieces(cut, 64) });
    if (between) await expect(reading).resolves.toBeDefined();
    else await expect(reading).rejects.toThrow("is cut off or is not valid JSON");
  }
  const gzip = gzipSync(lines);
  for (let length = 3; length < gzip.length; length += 5) {
    await expect(loadFeed({ name: "feed", chunks: pieces(gzip.subarray(0, length), 64) })).rejects.toThrow(/gzip file is cut off|is empty/);
  }
});
