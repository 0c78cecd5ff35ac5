import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Type } from "typebox";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { errorType, fail } from "../../platform/errors.ts";
import { operation, paging, type Operation } from "../../platform/operation/operation.ts";
import { mostRequestBytes } from "./mount.ts";
import { meta } from "./names.ts";
import { createTestServices, startTestServer, userWith, type TestServer, type TestServices } from "./testing.ts";

const NoSuchThing = errorType("thing-not-found", 404, "There is no such thing");
const seen = { cancelled: 0, started: 0, removed: 0, ai: [] as boolean[] };

const operations: readonly Operation[] = [
  operation({
    id: "things.get-one", http: "GET /api/v1/things/{id}", summary: "One thing", permission: "things:read", effect: "read",
    input: Type.Object({ id: Type.String({ minLength: 1 }), part: Type.Optional(Type.Integer({ minimum: 1 })) }),
    output: Type.Object({ id: Type.String(), size: Type.Integer() }), errors: [NoSuchThing], examples: [{ input: { id: "a" } }],
    async handle(context, { id }) {
      seen.ai.push(context.actor.ai);
      return id === "none" ? fail(NoSuchThing, `There is no thing ${id}.`) : { id, size: 3 };
    },
  }),
  operation({
    id: "things.list", http: "GET /api/v1/things", summary: "All things", permission: "things:read", effect: "read",
    input: Type.Object({ ...paging }), output: Type.Object({ items: Type.Array(Type.String()) }), examples: [{ input: {} }],
    handle: async (_context, { limit }) => ({ items: Array.from({ length: limit ?? 0 }, () => "x".repeat(4000)) }),
  }),
  operation({
    id: "things.create", http: "POST /api/v1/things", summary: "Make a thing", permission: "things:write", effect: "change", creates: true,
    input: Type.Object({ name: Type.String() }), output: Type.Object({ id: Type.String() }), examples: [{ input: { name: "a" } }],
    handle: async (_context, { name }) => ({ id: name }),
  }),
  operation({
    id: "things.remove", http: "DELETE /api/v1/things/{id}", summary: "Remove a thing", permission: "things:write", effect: "destructive", answersSecret: true,
    input: Type.Object({ id: Type.String() }), output: Type.Object({}), examples: [{ input: { id: "a" } }],
    async handle() {
      seen.removed += 1;
      return {};
    },
  }),
  operation({
    id: "things.count", http: "POST /api/v1/things/count", summary: "Count things, step by step", permission: "things:read", effect: "read",
    input: Type.Object({}), output: Type.Object({ counted: Type.Integer() }), examples: [{ input: {} }],
    async prepare(context) {
      context.progress({ step: "read", done: 0, total: 2 });
      context.progress({ step: "read", done: 2, total: 2 });
      context.progress({ step: "count", done: 1, total: 4 });
      context.progress({ step: "write" });
    },
    handle: async () => ({ counted: 2 }),
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
  operation({
    id: "things.secret", http: "GET /api/v1/things/secret", summary: "Not for programs", permission: "things:read", effect: "read",
    without: { mcp: "a test of a closed door" }, input: Type.Object({}), output: Type.Object({}), examples: [{ input: {} }], handle: async () => ({}),
  }),
];

const tokens = new Map([["Bearer all", userWith("things:read", "things:write")], ["Bearer reader", userWith("things:read")]]);
let services: TestServices;
let server: TestServer;

beforeAll(async () => {
  services = await createTestServices((authorization) => tokens.get(authorization ?? ""));
  server = await startTestServer(services, operations);
});
afterAll(() => server.close());

const modes = { "2026-07-28": "auto", "2025-11-25": "legacy" } as const;

async function connected(version: keyof typeof modes, token = "all"): Promise<Client> {
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode: modes[version] } });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), { requestInit: { headers: { authorization: `Bearer ${token}` } } }));
  return client;
}

function until(condition: () => boolean): Promise<boolean> {
  return vi.waitUntil(condition, { timeout: 15_000 });
}

function textOf(result: { content?: unknown }): string {
  return (result.content as { text: string }[])[0]?.text ?? "";
}

function post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.url}/mcp`, {
    method: "POST", body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", authorization: "Bearer all", ...headers },
  });
}

describe.each(Object.keys(modes) as (keyof typeof modes)[])("MCP over HTTP, protocol %s", (version) => {
  it("given a caller with all permissions, then every operation with the door is a tool", async () => {
    const client = await connected(version);
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["things_get_one", "things_list", "things_create", "things_remove", "things_count", "things_wait"]);
    expect(tools[0]).toMatchObject({
      title: "One thing", description: 'One thing.\nExample: {"id":"a"}',
      inputSchema: { type: "object", required: ["id"], additionalProperties: false, properties: { part: { type: "integer", minimum: 1 } } },
      outputSchema: { type: "object", required: ["id", "size"] },
      annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
      _meta: { [meta.operation]: "things.get-one" },
    });
    expect(tools[2]?.annotations).toMatchObject({ readOnlyHint: false, destructiveHint: false, idempotentHint: false });
    expect(tools[3]?.annotations).toMatchObject({ readOnlyHint: false, destructiveHint: true, idempotentHint: true });
    await client.close();
  });

  it("given a reader, then only what it may call is listed, and calling more is a tool error", async () => {
    const client = await connected(version, "reader");
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["things_get_one", "things_list", "things_count", "things_wait"]);
    const result = await client.callTool({ name: "things_create", arguments: { name: "a" } });
    expect(result.isError).toBe(true);
    expect(result._meta?.[meta.problem]).toMatchObject({ code: "permission-missing", status: 403, data: { permission: "things:write" } });
    await client.close();
  });

  it("given valid arguments, then the answer is structured and the actor an AI", async () => {
    const client = await connected(version);
    const result = await client.callTool({ name: "things_get_one", arguments: { id: "a" } });
    expect(result.structuredContent).toEqual({ id: "a", size: 3 });
    expect(JSON.parse(textOf(result))).toEqual({ id: "a", size: 3 });
    expect(seen.ai.at(-1)).toBe(true);
    expect(services.observed.at(-1)).toEqual({ id: "things.get-one", door: "mcp", status: 200 });
    await client.close();
  });

  it.each([
    ["a declared error", "things_get_one", { id: "none" }, "thing-not-found", "There is no such thing. There is no thing none."],
    ["a missing argument", "things_get_one", {}, "invalid-input", "/id: is required"],
    ["a misspelt argument", "things_get_one", { id: "a", prat: 1 }, "invalid-input", "/prat: is not a known field"],
    ["a wrong type", "things_get_one", { id: "a", part: "1" }, "invalid-input", "/part: must be integer"],
    ["a destructive operation that nobody can be asked to approve", "things_remove", { id: "a" }, "approval-unavailable", "needs an approval here (destructive-by-ai), and none can be asked for: it answers a secret"],
    ["an answer that is too large", "things_list", { limit: 1000 }, "answer-too-large", "Ask for fewer items by `limit` (now 1000)"],
  ])("given %s, then it is a tool error with the reason", async (_case, name, input, code, words) => {
    const client = await connected(version);
    const result = await client.callTool({ name, arguments: input });
    expect(result).toMatchObject({ isError: true, _meta: { [meta.problem]: { code } } });
    expect(textOf(result)).toContain(words);
    expect(textOf(result)).toContain(`(code ${code}, request `);
    expect(result.structuredContent).toBeUndefined();
    expect(seen.removed).toBe(0);
    await client.close();
  });

  it("given an operation without the door or of no name at all, then it is a protocol error", async () => {
    const client = await connected(version);
    for (const name of ["things_secret", "no_such_tool"]) {
      await expect(client.callTool({ name, arguments: {} })).rejects.toMatchObject({ code: -32602, message: expect.stringContaining(`There is no tool ${name}`) });
    }
    await client.close();
  });

  it("given a progress token, then progress arrives and always grows", async () => {
    const client = await connected(version);
    const reports: { progress: number; total?: number | undefined; message?: string | undefined }[] = [];
    const result = await client.callTool({ name: "things_count", arguments: {} }, { onprogress: (progress) => reports.push(progress) });
    expect(result.structuredContent).toEqual({ counted: 2 });
    expect(reports).toEqual([
      { progress: 0, total: 2, message: "read: 0 of 2" }, { progress: 2, total: 2, message: "read: 2 of 2" },
      { progress: 3, message: "count: 1 of 4" }, { progress: 4, message: "write" },
    ]);
    await client.close();
  });

  it("given a call that is cancelled, then the operation is told", async () => {
    const client = await connected(version);
    const before = { ...seen };
    const stop = new AbortController();
    const call = client.callTool({ name: "things_wait", arguments: {} }, { signal: stop.signal });
    const outcome = call.then(() => "answered", () => "gave up");
    await until(() => seen.started > before.started);
    stop.abort();
    expect(await outcome).toBe("gave up");
    await until(() => seen.cancelled > before.cancelled);
    await until(() => services.observed.at(-1)?.status === 499);
    await client.close();
  });

  it("given an idempotency key, then the change is kept under it", async () => {
    const client = await connected(version);
    const result = await client.callTool({ name: "things_create", arguments: { name: "a" }, _meta: { [meta.idempotencyKey]: "key-1" } });
    expect(result.structuredContent).toEqual({ id: "a" });
    expect(JSON.stringify(services.ran.at(-1))).toContain("key-1");
    const bad = await client.callTool({ name: "things_create", arguments: { name: "a" }, _meta: { [meta.idempotencyKey]: "two words" } });
    expect(bad).toMatchObject({ isError: true, _meta: { [meta.problem]: { code: "invalid-input" } } });
    await client.close();
  });
});

describe("MCP over HTTP, at its edge", () => {
  const ping = { jsonrpc: "2.0", id: 1, method: "ping" };

  it.each([
    ["no credentials", { authorization: "" }],
    ["unknown credentials", { authorization: "Bearer stolen" }],
  ])("given %s, then 401 says how to authenticate", async (_case, headers) => {
    const response = await post(ping, headers);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
    expect(await response.json()).toMatchObject({ code: "unauthenticated" });
  });

  it.each([
    ["an origin that is not ours", { origin: "https://evil.example" }, 403],
    ["an origin that is no address", { origin: "null" }, 403],
    ["an origin of this server", { origin: "https://qinfra.example.org" }, 200],
    ["an origin on loopback", { origin: "http://localhost:5173" }, 200],
  ])("given %s, then the status fits", async (_case, headers, status) => {
    expect((await post(ping, headers)).status).toBe(status);
  });

  it("given a body that is no JSON, then it is a parse error of the protocol", async () => {
    const response = await post("{");
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32700 } });
  });

  it("given a body that is too large, then 413 says so", async () => {
    const response = await post({ ...ping, params: { text: "x".repeat(mostRequestBytes) } });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: "too-large" });
  });

  it.each(["GET", "DELETE"])("given %s, then 405, since there is no state to read or end", async (method) => {
    const response = await fetch(`${server.url}/mcp`, { method, headers: { authorization: "Bearer all", accept: "text/event-stream" } });
    expect(response.status).toBe(405);
  });

  it("given another session of the same user, then its cancellation does not touch the call", async () => {
    const before = { ...seen };
    const call = { jsonrpc: "2.0", id: 7, method: "tools/call", params: { name: "things_wait", arguments: {} } };
    const cancel = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } };
    const mine = await post(call, { "mcp-session-id": "mine" });
    await until(() => seen.started > before.started);
    expect((await post(cancel, { "mcp-session-id": "other" })).status).toBe(202);
    expect(seen.cancelled).toBe(before.cancelled);
    expect((await post(cancel, { "mcp-session-id": "mine" })).status).toBe(202);
    await until(() => seen.cancelled > before.cancelled);
    await mine.body?.cancel();
  });

  it("given a call that is silent, then its stream is open at once", async () => {
    const response = await post({ jsonrpc: "2.0", id: 8, method: "tools/call", params: { name: "things_wait", arguments: {} } }, { "mcp-session-id": "silent" });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const before = seen.cancelled;
    await response.body?.cancel();
    await until(() => seen.cancelled > before);
  });

  it("given a server that closes, then calls in flight are answered first", async () => {
    const gate = { open: (): void => undefined, started: false };
    const slow = operation({
      id: "slow.call", http: "POST /api/v1/slow", summary: "Slow", permission: "self", reason: "test", effect: "read",
      input: Type.Object({}), output: Type.Object({ done: Type.Boolean() }), examples: [{ input: {} }],
      async prepare() {
        gate.started = true;
        await new Promise<void>((resolve) => (gate.open = resolve));
      },
      handle: async () => ({ done: true }),
    });
    const other = await startTestServer(services, [slow]);
    const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode: "auto" } });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${other.url}/mcp`), { requestInit: { headers: { authorization: "Bearer all" } } }));
    const answer = client.callTool({ name: "slow_call", arguments: {} });
    await until(() => gate.started);
    const closed = other.close();
    gate.open();
    expect((await answer).structuredContent).toEqual({ done: true });
    await closed;
  });
});
