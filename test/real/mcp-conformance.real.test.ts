import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestServices, startTestServer, userWith, type TestServer } from "../../src/surfaces/mcp/testing.ts";
import { conformanceFixtures } from "./support/mcp-fixtures.ts";
import { describeWith, program } from "./support/peer.ts";
import { temporaryFolder } from "./support/process.ts";

const expectedFailures = resolve(import.meta.dirname, "mcp-expected-failures.yml");

/** What must pass for the door to be of any use, whatever else the suite asks. */
const essential = {
  "2025-11-25": ["server-initialize", "ping", "tools-list", "tools-call-simple-text", "tools-call-error", "tools-call-with-progress", "json-schema-2020-12", "server-sse-multiple-streams", "dns-rebinding-protection"],
  "2026-07-28": ["tools-list", "tools-call-simple-text", "tools-call-error", "tools-call-with-progress", "json-schema-2020-12", "server-sse-multiple-streams", "dns-rebinding-protection", "http-header-validation"],
};

describeWith(["mcp-conformance"], "MCP door under the official conformance suite", () => {
  let server: TestServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;

  beforeAll(async () => {
    folder = await temporaryFolder("mcp-conformance");
    // The suite sends no credentials, so whoever calls is signed in here.
    server = await startTestServer(await createTestServices(() => userWith()), conformanceFixtures);
  });
  afterAll(async () => {
    await server.close();
    await folder.remove();
  });

  it.each(Object.keys(essential) as (keyof typeof essential)[])("given protocol %s, then only what is listed fails", { timeout: 180_000 }, async (version) => {
    const { code, output } = await run(`${server.url}/mcp`, version, join(folder.path, version));
    expect(code, output).toBe(0);
    for (const scenario of essential[version]) expect(output).toMatch(new RegExp(`^✓ ${scenario}: [1-9]\\d* passed, 0 failed`, "m"));
  });

  it("given the list of expected failures, then none of it is a tool call that an operation could answer", async () => {
    const listed = await readFile(expectedFailures, "utf8");
    for (const scenario of new Set(Object.values(essential).flat())) expect(listed).not.toMatch(new RegExp(`- ${scenario}$`, "m"));
  });
});

function run(url: string, version: string, results: string): Promise<{ code: number; output: string }> {
  const args = ["server", "--url", url, "--suite", "all", "--spec-version", version, "--expected-failures", expectedFailures, "--output-dir", results];
  return new Promise((done) => {
    execFile(program("mcp-conformance", "conformance"), args, { timeout: 170_000, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const summary = stdout.slice(Math.max(0, stdout.indexOf("=== SUMMARY ===")));
      done({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, output: `${summary}\n${stderr}` });
    });
  });
}
