import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FeedError } from "./feed-error.ts";
import { combinedDigest } from "./feed-tally.ts";
import { eachAdvisory, loadFeed } from "./read-feed.ts";
import { zipOf } from "./testing.ts";

const first = {
  id: "A-1",
  modified: "2026-01-01T00:00:00Z",
  summary: "Brackets ]} and \"quotes\\\" in text, größer",
  affected: [{ package: { ecosystem: "npm", name: "lib" }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }] }] }],
};
const second = { modified: "2026-03-01T00:00:00Z", id: "A-2", affected: [] };
const third = { id: "A-3", modified: "2026-02-01T00:00:00Z", withdrawn: "2026-02-01T00:00:00Z" };
const records = [first, second, third];
const lines = records.map((record) => JSON.stringify(record)).join("\n");
const json = (value: unknown) => JSON.stringify(value, null, 2);

/** The bytes in pieces of `size`, as a network gives them. */
async function* pieces(content: string | Uint8Array, size = 65_536): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function streamed(content: string | Uint8Array, size?: number) {
  return { name: "feed", chunks: pieces(content, size) };
}

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "qinfra-feed-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function saved(name: string, content: string | Uint8Array): Promise<{ path: string }> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  return { path };
}

async function refusal(feed: Promise<unknown>): Promise<string> {
  const error = await feed.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FeedError);
  return (error as FeedError).message.replace(folder, "FOLDER");
}

describe("readFeed: forms", () => {
  it.each<[string, string | Uint8Array]>([
    ["JSON lines", `${lines}\n`],
    ["JSON lines without a last line break", lines],
    ["JSON lines with CRLF, empty lines and a byte order mark", `\uFEFF${lines.replaceAll("\n", "\r\n\r\n")}\r\n`],
    ["a list on one line", JSON.stringify(records)],
    ["a list over many lines", json(records)],
    ["gzip", gzipSync(lines)],
    ["gzip in two members", Buffer.concat([gzipSync(`${lines}\n`), gzipSync(JSON.stringify(first))])],
    ["another order, other spaces", [third, first, second].map((record) => JSON.stringify(record).replace(":", " : ")).join("\n")],
  ])("reads %s, whole and byte by byte", async (_, content) => {
    const expected = await loadFeed(streamed(lines));
    for (const size of [65_536, 1]) {
      const { advisories, summary } = await loadFeed(streamed(content, size));
      expect(advisories.map(({ id }) => id).sort()).toEqual(["A-1", "A-2"]);
      expect(advisories.find(({ id }) => id === "A-1")?.summary).toBe(first.summary);
      expect({ ...summary, repeated: 0 }).toEqual(expected.summary);
    }
    expect(expected.summary).toMatchObject({ records: 3, withdrawn: 1, newest: "2026-03-01T00:00:00.000Z" });
    expect(expected.summary.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it("reads zip archives and folders, with the same digest", async () => {
    const { summary } = await loadFeed(streamed(lines));
    const entries = records.map((record) => ({ name: `npm/${record.id}.json`, content: json(record) }));
    const zip = await saved("all.zip", zipOf([{ name: "README.md", content: "no record" }, ...entries]));
    for (const { name, content } of entries) await saved(`tree/deep/${name}`, content);
    await saved("tree/README.md", "no record");
    await saved("tree/.git/x.json", "no record");

    expect((await loadFeed(zip)).summary).toEqual(summary);
    expect((await loadFeed({ path: join(folder, "tree") })).summary).toEqual(summary);
  });

  it("reads one record over several lines", async () => {
    expect((await loadFeed(streamed(json(first), 7))).advisories).toHaveLength(1);
  });

  it("counts a record that is there again once", async () => {
    const { advisories, summary } = await loadFeed(streamed(`${lines}\n${JSON.stringify(second)}`));
    expect(advisories).toHaveLength(2);
    expect(summary).toMatchObject({ records: 3, repeated: 1, digest: (await loadFeed(streamed(lines))).summary.digest });
  });

  it("gives another digest for other content", async () => {
    const changed = lines.replace("Brackets", "Braces");
    expect((await loadFeed(streamed(changed))).summary.digest).not.toBe((await loadFeed(streamed(lines))).summary.digest);
  });
});

describe("readFeed: refused whole", () => {
  const one = JSON.stringify(first);
  it.each<[string, string | Uint8Array, string]>([
    ["nothing", "", "feed: the feed is empty"],
    ["spaces", " \n\n", "feed: the feed is empty"],
    ["an empty list", "[]", "feed: the feed is empty"],
    ["an empty gzip", gzipSync(""), "feed: the feed is empty"],
    ["binary rubbish", Buffer.from([0, 1, 2, 3, 255]), "feed, line 1: is not a feed: it starts with byte 0x00"],
    ["text", "hello\n", 'feed, line 1: is not a feed: it starts with "h"'],
    ["a cut-off last line", lines.slice(0, -5), "feed, line 3: is cut off or is not valid JSON"],
    ["a broken line", `${one}\n{"id":\n${one}`, "feed, line 2: is not valid JSON"],
    ["a cut-off gzip", gzipSync(lines).subarray(0, -20), "feed: the gzip file is cut off, after"],
    ["a damaged gzip", Buffer.concat([gzipSync(lines).subarray(0, 12), Buffer.alloc(40, 0xff)]), "feed: the gzip file is damaged"],
    ["a gzip of rubbish", gzipSync(Buffer.from([1, 2, 3])), "feed, line 1: is not a feed"],
    ["a cut-off list", json(records).slice(0, -2), "is cut off: the list of records does not end"],
    ["a list cut off in a record", json(records).slice(0, 80), "is cut off: the list of records does not end"],
    ["a list that goes on", "[] []", "feed, line 1: goes on after the end"],
    ["a list of numbers", "[1]", "feed, line 1: the list holds something that is not an object"],
    ["a list without commas", `[${one} ${one}]`, "feed, line 1: is not a list of records separated by commas"],
    ["a list with a last comma", `[${one},]`, "feed, line 1: the list holds something that is not an object"],
    ["a cut-off record", json(first).slice(0, -4), "feed, line 1: is cut off or is not valid JSON"],
    ["a malformed record", `${one}\n{"id":"A-9","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"name":"x"}}]}`, "feed, line 2, field affected[0].package.ecosystem: is missing"],
    ["an id twice with other content", `${one}\n${JSON.stringify({ ...first, summary: "x" })}`, 'feed, line 2, field id: "A-1" was in this feed before'],
    ["bytes that are no UTF-8", Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xff]), Buffer.from('"}\n')]), "feed, line 1: is not valid UTF-8"],
    ["deep nesting", `{"id":"A","x":${"[".repeat(5000)}${"]".repeat(5000)}}\n`, "feed, line 1: is nested more than 64 deep"],
    ["a zip in a stream", zipOf([]), "feed: is a zip archive, which cannot be read from a stream"],
  ])("%s", async (_, content, expected) => {
    expect(await refusal(loadFeed(streamed(content)))).toContain(expected);
  });

  it.each<[string, Buffer, string]>([
    ["an empty zip", zipOf([]), "the zip archive holds no .json file"],
    ["a zip of other things", zipOf([{ name: "a.txt", content: "x" }]), "the zip archive holds no .json file"],
    ["a cut-off zip", zipOf([{ name: "a.json", content: one }]).subarray(0, -30), "the zip archive is cut off or damaged"],
    ["a wrong checksum", zipOf([{ name: "a.json", content: one, crc: 1 }]), "a.json: the zip archive is damaged (its checksum is wrong)"],
    ["a malformed entry", zipOf([{ name: "a.json", content: one }, { name: "b/c.json", content: '{"id":1}' }]), "b/c.json, line 1, field id: is not a string"],
    ["an empty entry", zipOf([{ name: "a.json", content: one }, { name: "b.json", content: "" }]), "b.json: holds no OSV record"],
    ["a path out of the archive", zipOf([{ name: "../a.json", content: one }]), "the zip archive is cut off or damaged (invalid relative path"],
  ])("%s", async (name, content, expected) => {
    const file = await saved(`${name.replaceAll(" ", "-")}.zip`, content);
    expect(await refusal(loadFeed(file))).toContain(expected);
  });

  it("a folder without a record, a file that is not there", async () => {
    await mkdir(join(folder, "void/sub"), { recursive: true });
    expect(await refusal(loadFeed({ path: join(folder, "void") }))).toBe("FOLDER/void: holds no .json file");
    expect(await refusal(loadFeed({ path: join(folder, "gone") }))).toBe("FOLDER/gone: there is no such file or folder");
  });

  it("what is larger than the limits", async () => {
    const zeros = gzipSync(`{"id":"A","x":"${" ".repeat(1_000_000)}"}\n`);
    const limits = { ratioFrom: 100_000 };
    expect(await refusal(loadFeed(streamed(zeros), { limits }))).toContain("unpacks to more than 200 times its size");
    const bomb = await saved("bomb.zip", zipOf([{ name: "a.json", content: " ".repeat(1_000_000) }]));
    expect(await refusal(loadFeed(bomb, { limits }))).toContain("unpacks to more than 200 times its size");
    expect(await refusal(loadFeed(streamed(lines), { limits: { totalBytes: 50 } }))).toContain("is larger than 50 bytes");
    expect(await refusal(loadFeed(streamed(lines), { limits: { records: 2 } }))).toContain("line 3: the feed holds more than 2 records");
    const long = JSON.stringify({ ...first, details: "x".repeat(5000) });
    for (const content of [`${long}\n`, json({ ...first, details: ["x".repeat(5000)] }), `[${long}]`]) {
      expect(await refusal(loadFeed(streamed(content, 100), { limits: { recordBytes: 1000 } }))).toContain("a record is longer than 1000 bytes");
    }
  });
});

it("closes its input when it refuses it", async () => {
  for (const content of [zipOf([{ name: "a.json", content: "{}" }]), gzipSync("rubbish"), Buffer.from("rubbish\n".repeat(9))]) {
    let closed = false;
    const chunks = (async function* () {
      try {
        yield* pieces(content, 5);
      } finally {
        closed = true;
      }
    })();
    await refusal(loadFeed({ name: "feed", chunks }));
    expect(closed).toBe(true);
  }
});

it("stops when asked to, and when the taker fails", async () => {
  const controller = new AbortController();
  const seen: string[] = [];
  const reading = eachAdvisory(
    streamed(lines),
    ({ id }) => {
      seen.push(id);
      controller.abort(new Error("stopped"));
    },
    { signal: controller.signal },
  );
  await expect(reading).rejects.toThrow("stopped");
  expect(seen).toEqual(["A-1"]);
  await expect(eachAdvisory(streamed(lines), () => Promise.reject(new Error("full")))).rejects.toThrow("full");
});

it("joins digests whatever their order", () => {
  expect(combinedDigest([])).toBeNull();
  expect(combinedDigest(["sha256:a", "sha256:a"])).toBe("sha256:a");
  expect(combinedDigest(["sha256:a", "sha256:b"])).toBe(combinedDigest(["sha256:b", "sha256:a"]));
  expect(combinedDigest(["sha256:a", "sha256:b"])).toMatch(/^sha256:[0-9a-f]{64}$/);
});
