import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { compiled } from "../../platform/testing/program.ts";
import { feedHigh, sbom } from "./testing/fixtures.ts";
import { testManifest } from "./testing/operations.ts";
import { platformOperations } from "./testing/platform-operations.ts";
import { createCliPlace, type CliPlace } from "./testing/run.ts";
import { startPlatformServer, type PlatformServer } from "./testing/server.ts";

let place: CliPlace;
let server: PlatformServer;
let manifest: string;
let temporary: string;
beforeAll(async () => {
  place = await createCliPlace();
  server = await startPlatformServer();
  manifest = join(place.home, "../operations.json");
  temporary = join(place.home, "../tmp");
  await mkdir(temporary);
  await writeFile(manifest, JSON.stringify(testManifest(platformOperations)));
});
afterAll(async () => {
  await server.close();
  await place.remove();
});

function start(...words: string[]): ChildProcess & { exit: Promise<number> } {
  const env = { ...compiled, TMPDIR: temporary, PATH: process.env["PATH"], QINFRA_HOME: place.home, QINFRA_URL: server.url, QINFRA_API_KEY: "qk_secret" };
  const child = spawn(process.execPath, [join(import.meta.dirname, "testing/main.ts"), manifest, ...words], { stdio: "pipe", env });
  return Object.assign(child, { exit: once(child, "exit").then(([code]) => code as number) });
}

describe("the CLI as a process", () => {
  it("Ctrl-C during a scan exits 130", async () => {
    const asked = new Promise<void>((resolve) => {
      server.answers["POST /api/v1/scan"] = () => {
        resolve();
        return { hang: true };
      };
    });
    const child = start("scan", "--sbom", "-");
    child.stdin?.end(sbom);
    await asked;
    child.kill("SIGINT");
    expect(await child.exit).toBe(130);
  });

  it("Ctrl-C leaves no temporary file and nothing half imported", async () => {
    const child = start("feeds", "import", "-", "--name", "mine", "--local");
    child.stdin?.on("error", () => undefined);
    child.stdin?.write(feedHigh);
    await vi.waitFor(() => expect(readdirSync(temporary)).toHaveLength(1), { timeout: 15_000 });
    const began = performance.now();
    child.kill("SIGINT");
    expect(await child.exit).toBe(130);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(readdirSync(temporary)).toEqual([]);
    expect(existsSync(join(place.home, "advisories"))).toBe(false);
  });

  it("a reader that goes away ends it with 141, without a word", async () => {
    const things = Array.from({ length: 1000 }, (_, i) => ({ id: `thg_${i}`, name: "n".repeat(500), fixedVersion: null, tags: {} }));
    let page = 0;
    server.answers["GET /api/v1/things"] = () => ({ json: { items: things, next: `c${page++}` } });
    const child = start("things", "list", "--all", "--output", "jsonl");
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await once(child.stdout as NodeJS.ReadableStream, "data");
    child.stdout?.destroy();
    expect(await child.exit).toBe(141);
    expect(said).toBe("");
  });

  it("all of a long answer is written before it ends", async () => {
    const things = Array.from({ length: 5000 }, (_, i) => ({ id: `thg_${i}`, name: "n".repeat(200), fixedVersion: null, tags: {} }));
    server.answers["GET /api/v1/things"] = { json: { items: things } };
    const child = start("things", "list", "--output", "jsonl");
    let lines = 0;
    child.stdout?.on("data", (chunk: Buffer) => (lines += chunk.toString().split("\n").length - 1));
    const closed = once(child, "close");
    expect(await child.exit).toBe(0);
    await closed;
    expect(lines).toBe(5000);
  });
});
