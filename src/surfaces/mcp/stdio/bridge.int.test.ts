import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Type } from "typebox";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { operation } from "../../../platform/operation/operation.ts";
import { compiled } from "../../../platform/testing/program.ts";
import { createTestServices, startTestServer, userWith, type TestServer, type TestServices } from "../testing.ts";

const seen = { started: 0, cancelled: 0 };
const gate = { open: (): void => undefined };

const operations = [
  operation({
    id: "things.get-one", http: "GET /api/v1/things/{id}", summary: "One thing", permission: "things:read", effect: "read",
    input: Type.Object({ id: Type.String() }), output: Type.Object({ id: Type.String() }), examples: [{ input: { id: "a" } }],
    async prepare(context, { id }) {
      if (id !== "with progress") return;
      const opened = new Promise<void>((resolve) => (gate.open = resolve));
      context.progress({ step: "look", done: 1, total: 1 });
      await opened;
    },
    handle: async (_context, { id }) => ({ id }),
  }),
  operation({
    id: "things.wait", http: "POST /api/v1/things/wait", summary: "Wait until cancelled", permission: "things:read", effect: "read",
    input: Type.Object({}), output: Type.Object({}), examples: [{ input: {} }],
    async prepare(context) {
      seen.started += 1;
      await new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve(), { once: true }));
      seen.cancelled += 1;
    },
    handle: async () => ({}),
  }),
];

let services: TestServices;
let server: TestServer;
let home: string;
let closedUrl: string;

beforeAll(async () => {
  services = await createTestServices((authorization) => (authorization === "Bearer good" ? userWith("things:read") : undefined));
  server = await startTestServer(services, operations);
  const closed = await startTestServer(services, []);
  closedUrl = closed.url;
  await closed.close();
  home = await mkdtemp(join(tmpdir(), "qinfra-mcp-"));
  await writeFile(join(home, "operations.json"), JSON.stringify({ operations: [] }));
});
afterAll(async () => {
  await server.close();
  await rm(home, { recursive: true, force: true });
});

function until(condition: () => boolean): Promise<boolean> {
  return vi.waitUntil(condition, { timeout: 15_000 });
}

function command(): string[] {
  return [resolve(import.meta.dirname, "testing-program.ts"), join(home, "operations.json"), "mcp"];
}

function environment(url: string | undefined, key: string | undefined = "good"): Record<string, string> {
  return { ...compiled, PATH: process.env["PATH"] ?? "", QINFRA_HOME: home, ...(url !== undefined && { QINFRA_URL: url }), ...(key !== "" && url !== undefined && { QINFRA_API_KEY: key }) };
}

/** Runs the command with this standard input to its end. */
function run(env: Record<string, string>, input = ""): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const child = spawn(process.execPath, command(), { env, stdio: "pipe" });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("close", (code) => done({ code, stdout, stderr }));
    child.stdin.on("error", () => undefined).end(input);
  });
}

async function connected(mode: "auto" | "legacy"): Promise<Client> {
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: command(), env: environment(server.url), stderr: "ignore" }));
  return client;
}

describe.each([["2026-07-28", "auto"], ["2025-11-25", "legacy"]] as const)("qinfra mcp, protocol %s", (version, mode) => {
  it("given a server, then its tools are listed and called, with progress", async () => {
    const client = await connected(mode);
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["things_get_one", "things_wait"]);
    const reports: unknown[] = [];
    const onprogress = (report: unknown): void => {
      reports.push(report);
      gate.open();
    };
    const result = await client.callTool({ name: "things_get_one", arguments: { id: "with progress" } }, { onprogress });
    expect(result.structuredContent).toEqual({ id: "with progress" });
    expect(reports).toEqual([{ progress: 1, total: 1, message: "look: 1 of 1" }]);
    expect(services.observed.at(-1)).toEqual({ id: "things.get-one", door: "mcp", status: 200 });
    await expect(client.callTool({ name: "no tool ä", arguments: {} })).rejects.toMatchObject({ code: -32602 });
    await client.close();
  });

  it("given a call that is cancelled, then the operation is told", async () => {
    const client = await connected(mode);
    const before = { ...seen };
    const stop = new AbortController();
    const outcome = client.callTool({ name: "things_wait", arguments: {} }, { signal: stop.signal }).then(() => "answered", () => "gave up");
    await until(() => seen.started > before.started);
    stop.abort();
    expect(await outcome).toBe("gave up");
    await until(() => seen.cancelled > before.cancelled);
    await client.close();
  });
});

describe("qinfra mcp, at its edge", () => {
  it("given lines in a pipe, then each is answered before it ends", async () => {
    const lines = [
      JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "things_get_one", arguments: { id: "é" } } }), "no json", "[]", "",
    ];
    const { code, stdout } = await run(environment(server.url), lines.join("\n"));
    const answers = stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as { id: unknown; result?: { structuredContent: unknown }; error?: { code: number } });
    expect(code).toBe(0);
    expect(answers.find(({ id }) => id === 1)?.result?.structuredContent).toEqual({ id: "é" });
    expect(answers.filter(({ id }) => id === null).map(({ error }) => error?.code)).toEqual([-32700, -32600]);
  });

  it.each([
    ["no server", () => environment(undefined), ["No server is configured", "qinfra login"]],
    ["a server that does not answer", () => environment(closedUrl), ["does not answer (ECONNREFUSED)", "See that it runs"]],
    ["a key that is not known", () => environment(server.url, "bad"), ["not known", "QINFRA_API_KEY"]],
    ["no credentials", () => environment(server.url, ""), ["MCP needs credentials", "qinfra login"]],
  ])("given %s, then it says so and ends with 2", async (_case, env, words) => {
    const { code, stdout, stderr } = await run(env());
    expect(code).toBe(2);
    expect(stdout).toBe("");
    for (const word of words) expect(stderr).toContain(word);
  });

  it("given something else at that address, then it says so and ends with 2", async () => {
    const other: Server = createServer((_request, response) => response.end("<html>"));
    await new Promise<void>((listening) => other.listen(0, "127.0.0.1", listening));
    const { code, stderr } = await run(environment(`http://127.0.0.1:${(other.address() as AddressInfo).port}`));
    other.close();
    expect(code).toBe(2);
    expect(stderr).toContain("which is not MCP of this platform");
  });

  it("given a server that goes away, then calls are answered by an error that says so", async () => {
    const leaving = await startTestServer(services, operations);
    const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode: "auto" } });
    await client.connect(new StdioClientTransport({ command: process.execPath, args: command(), env: environment(leaving.url), stderr: "ignore" }));
    // The client may have started the command anew after it found the version.
    await client.listTools();
    await leaving.close();
    await expect(client.callTool({ name: "things_get_one", arguments: { id: "a" } })).rejects.toMatchObject({ code: -32603, message: expect.stringContaining("does not answer") });
    await client.close();
  });
});
