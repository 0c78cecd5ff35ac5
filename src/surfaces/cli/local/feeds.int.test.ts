import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sharedData, sharedDataMissing } from "../../../platform/testing/shared-data.ts";
import { zipOf } from "../testing/zip.ts";
import { dpkgStatus, feedHigh, feedLow } from "../testing/fixtures.ts";
import { platformOperations } from "../testing/platform-operations.ts";
import { testManifest } from "../testing/operations.ts";
import { createCliPlace, type CliPlace } from "../testing/run.ts";
import { startPlatformServer, type PlatformServer } from "../testing/server.ts";

let place: CliPlace;
let server: PlatformServer;
let input: string;

beforeEach(async () => {
  place = await createCliPlace(testManifest(platformOperations));
  server = await startPlatformServer();
  input = join(place.home, "../input");
  await mkdir(input);
});
afterEach(async () => {
  await server.close();
  await place.remove();
});

const env = () => ({ QINFRA_URL: server.url, QINFRA_API_KEY: "qk_secret" });
const cached = (): string[] => (existsSync(join(place.home, "advisories")) ? readdirSync(join(place.home, "advisories")) : []);
const imported = { feed: "x", changed: true, records: 2, withdrawn: 0, digest: "sha256:0", newest: null };

async function file(name: string, content: string | Buffer): Promise<string> {
  await writeFile(join(input, name), content);
  return join(input, name);
}

async function folder(name: string, records: string): Promise<string> {
  await mkdir(join(input, name));
  for (const [i, line] of records.trim().split("\n").entries()) await writeFile(join(input, name, `${i}.json`), line);
  return join(input, name);
}

const records = (text: string): unknown[] => text.trim().split("\n").map((line) => JSON.parse(line) as unknown);

describe("feeds import with a server", () => {
  it.each([
    ["JSON lines", () => file("debian.osv.jsonl", feedHigh)],
    ["gzip", () => file("debian.osv.jsonl.gz", gzipSync(feedHigh))],
    ["a zip archive", () => file("debian.zip", zipOf(records(feedHigh)))],
    ["a folder", () => folder("debian", feedHigh)],
  ])("streams %s as JSON lines, with progress", async (_what, make) => {
    server.answers["POST /api/v1/feeds/debian/import"] = { lines: [{ progress: { step: "reading advisories", done: 1 } }, { result: imported }] };
    const { code, stdout } = await place.run(["feeds", "import", await make(), "--output", "json"], { env: env() });
    expect({ code, answer: JSON.parse(stdout) }).toEqual({ code: 0, answer: imported });
    const [request] = server.received;
    expect(request?.headers).toMatchObject({ "content-type": "application/x-ndjson", authorization: "Bearer qk_secret" });
    expect(records(request?.body ?? "")).toEqual(records(feedHigh));
  });

  it("reads standard input, which needs a name", async () => {
    server.answers["POST /api/v1/feeds/mine/import"] = { json: imported };
    expect(await place.run(["feeds", "import", "-", "--name", "mine"], { env: env(), stdin: gzipSync(feedHigh) })).toMatchObject({ code: 0 });
    const { code, stderr } = await place.run(["feeds", "import", "-"], { env: env(), stdin: feedHigh });
    expect(code).toBe(2);
    expect(stderr).toContain("give it a name with --name");
  });

  it("a bad feed is refused with its place before anything is sent", async () => {
    const { code, stderr } = await place.run(["feeds", "import", await file("bad.jsonl", `${feedHigh}{"id":`)], { env: env() });
    expect(code).toBe(2);
    expect(stderr).toContain("bad.jsonl, line 3");
    expect(server.received).toEqual([]);
  });

  it("without a server it says what to do", async () => {
    const { code, stderr } = await place.run(["feeds", "import", await file("a.jsonl", feedHigh)]);
    expect(code).toBe(2);
    expect(stderr).toContain("or add --local");
  });

  it("the server's refusal is told", async () => {
    server.answers["POST /api/v1/feeds/a/import"] = { problem: { code: "permission-missing", status: 403, title: "T", detail: "platform:feeds is missing." } };
    expect(await place.run(["feeds", "import", await file("a.jsonl", feedHigh)], { env: env() })).toMatchObject({ code: 1, stdout: "" });
  });
});

describe("feeds import --local", () => {
  it("fills the cache, and a scan uses it", async () => {
    const path = await file("debian.osv.jsonl", feedHigh);
    expect(await place.run(["feeds", "import", path, "--local"], { env: env() })).toMatchObject({ code: 0, stderr: "" });
    expect(server.received).toEqual([]);
    expect(cached()).toEqual(["debian.osv.jsonl.gz"]);
    expect(records(gunzipSync(await readFile(join(place.home, "advisories/debian.osv.jsonl.gz"))).toString())).toEqual(records(feedHigh));
    const scan = await place.run(["scan", "--dpkg-status", "-", "--os", "debian:12", "--fail-on", "high"], { stdin: dpkgStatus });
    expect(scan.code).toBe(1);
    expect(await place.run(["feeds", "import", path, "--local"])).toMatchObject({ code: 0, stderr: "The feed debian was there already, with the same records.\n" });
  });

  it("a bad feed leaves the one before", async () => {
    await place.run(["feeds", "import", await file("debian.jsonl", feedHigh), "--local"]);
    const { code } = await place.run(["feeds", "import", await file("cut.jsonl.gz", gzipSync(feedLow).subarray(0, 60)), "--name", "debian", "--local"]);
    expect(code).toBe(2);
    expect(cached()).toEqual(["debian.osv.jsonl.gz"]);
    expect(gunzipSync(await readFile(join(place.home, "advisories/debian.osv.jsonl.gz"))).toString()).toContain("DSA-1-1");
  });

  it.each([["../x"], ["A B"], [".x"]])("%j cannot be a name", async (name) => {
    expect((await place.run(["feeds", "import", await file("a.jsonl", feedHigh), "--name", name, "--local"])).code).toBe(2);
    expect(cached()).toEqual([]);
  });

  const debian = sharedData("advisories/debian.osv.jsonl.gz");
  it.skipIf(debian === undefined)(`imports a real feed (${debian === undefined ? sharedDataMissing : "Debian"})`, async () => {
    const { stdout } = await place.run(["feeds", "import", debian ?? "", "--local", "--output", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ feed: "debian", changed: true, records: 3648 });
  });
});

describe("feeds sync", () => {
  it("asks the server, ecosystem by ecosystem", async () => {
    server.answers["POST /api/v1/feeds/sync"] = { json: imported };
    expect(await place.run(["feeds", "sync", "osv", "--ecosystem", "Debian", "npm"], { env: env() })).toMatchObject({ code: 0 });
    expect(server.received.map((request) => JSON.parse(request.body) as unknown)).toEqual([{ ecosystem: "Debian" }, { ecosystem: "npm" }]);
  });

  it("with --local it downloads the archive into the cache", async () => {
    const osv = createServer((request, response) => {
      if (request.url === "/Debian/all.zip") response.end(zipOf(records(feedHigh)));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => osv.listen(0, "127.0.0.1", resolve));
    const QINFRA_OSV_URL = `http://127.0.0.1:${(osv.address() as AddressInfo).port}/`;
    const synced = await place.run(["feeds", "sync", "osv", "--ecosystem", "Debian", "--local", "--output", "jsonl"], { env: { QINFRA_OSV_URL } });
    const missing = await place.run(["feeds", "sync", "osv", "--ecosystem", "Nothing", "--local"], { env: { QINFRA_OSV_URL } });
    await new Promise((resolve) => osv.close(resolve));
    const gone = await place.run(["feeds", "sync", "osv", "--ecosystem", "Debian", "--local"], { env: { QINFRA_OSV_URL } });
    expect(synced).toMatchObject({ code: 0, stdout: expect.stringContaining('"feed":"osv-debian","changed":true,"records":2') });
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining("/Nothing/all.zip answered 404") });
    expect(gone).toMatchObject({ code: 2, stderr: expect.stringContaining("could not be fetched (ECONNREFUSED)") });
    expect(cached()).toEqual(["osv-debian.osv.jsonl.gz"]);
  });
});
