import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sql } from "../../src/platform/database/sql.ts";
import { testPlatform, type Caller, type TestPlatform } from "../../src/app/testing.ts";
import { probe } from "./probe-module.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform({ extraModules: [probe] });
});
afterAll(() => platform.close());

/** Refusals in the log of the caller's organization, newest first. */
async function refusalsOf(caller: Exclude<Caller, "anonymous">): Promise<{ actor: string; data: Record<string, unknown> }[]> {
  const { orgId } = platform.person(caller);
  return platform.test.database.tenant(orgId, async (db) => {
    const rows = await db.many<{ actor: string; body: string }>(sql`select actor, body from events.log where type = 'access.refused' order by id desc`);
    return rows.map(({ actor, body }) => ({ actor, data: (JSON.parse(body) as { data: Record<string, unknown> }).data }));
  });
}

describe("a refusal of a known caller", () => {
  it("says which permission was missing, and is an event of their organization", async () => {
    const answer = await platform.call("probe.note", { as: "viewer", input: { text: "a" } });
    expect(answer.body).toMatchObject({ status: 403, code: "permission-missing", detail: expect.stringMatching(/needs the permission images:build; you have role viewer/), data: { permission: "images:build" } });
    expect((await refusalsOf("viewer"))[0]).toMatchObject({ actor: expect.stringMatching(/^usr_/), data: { operation: "probe.note", code: "permission-missing", permission: "images:build" } });
    expect(await refusalsOf("other-tenant-admin")).toEqual([]);
  });

  it("says what an API key may do instead, whatever the role of its owner", async () => {
    const made = (await platform.call("api-keys.create", { as: "admin", input: { name: "reader", scopes: ["images:read"] } })).body as { key: string };
    const answer = await platform.call("probe.note", { authorization: `Bearer ${made.key}`, input: { text: "a" } });
    expect(answer.body).toMatchObject({ status: 403, detail: expect.stringContaining("needs the permission images:build; this API key has images:read.") });
  });

  it("says which policy refused", async () => {
    await platform.call("api-keys.create", { as: "agent-key", input: { name: "another", scopes: ["images:read"] } });
    expect((await refusalsOf("agent-key"))[0]).toMatchObject({ actor: expect.stringMatching(/^key_/), data: { operation: "api-keys.create", code: "policy-denied", reasons: ["ai-identity-permission"] } });
  });

  it("says that a second factor is asked for, and until when one counts", async () => {
    const answer = await platform.call("probe.confirmed", { as: "admin", input: {} });
    expect(answer.body).toMatchObject({ status: 403, code: "confirmation-needed", detail: expect.stringContaining("in the last 5 minutes") });
    expect((await refusalsOf("admin"))[0]).toMatchObject({ data: { operation: "probe.confirmed", code: "confirmation-needed" } });
    expect((await platform.call("probe.confirmed", { as: "agent-key", input: {} })).body).toMatchObject({ code: "confirmation-needed", detail: expect.stringContaining("only a person") });
  });
});

describe("a refusal of an unknown caller", () => {
  it.each([
    ["no credential", undefined],
    ["a wrong session", `Bearer qis_${"a".repeat(52)}`],
    ["a wrong API key", `Bearer qik_${"a".repeat(12)}_${"b".repeat(40)}`],
    ["a token of nobody", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.AA"],
    ["no bearer token at all", "Basic YTpi"],
  ])("says nothing but 401: %s", async (_what, authorization) => {
    const answer = await platform.inject({ method: "GET", url: "/api/v1/images", ...(authorization === undefined ? {} : { headers: { authorization } }) });
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toContain("Bearer");
    expect(answer.text).not.toMatch(/images:read|role|expired|revoked at|organization org_/);
  });

  it("comes before any look-up once too many were wrong", async () => {
    const remoteAddress = "203.0.113.77";
    const statuses: number[] = [];
    for (let i = 0; i < 2_000 && statuses.at(-1) !== 429; i++) { // it gives back a little while they come
      const { statusCode } = await platform.http.inject({ method: "GET", url: "/api/v1/images", remoteAddress, headers: { authorization: `Bearer qis_${"a".repeat(52)}` } });
      statuses.push(statusCode);
    }
    expect(statuses[0]).toBe(401);
    expect(statuses.at(-1)).toBe(429);
    // Others are not held up by it.
    expect((await platform.call("images.list", { as: "viewer" })).status).toBe(200);
  });
});

describe("headers of an answer", () => {
  it("say how the caller stands with the rate limit", async () => {
    const { headers } = await platform.call("images.list", { as: "viewer" });
    expect(headers["ratelimit-policy"]).toMatch(/^"caller";q=\d+;w=4$/);
    expect(headers["ratelimit"]).toMatch(/^"caller";r=\d+;t=\d+$/);
  });

  it("let a caller keep a read and ask whether it is still the same", async () => {
    const first = await platform.call("images.list", { as: "viewer" });
    expect(first.headers["cache-control"]).toBe("private, no-cache");
    expect(first.headers["vary"]).toContain("authorization");
    const tag = first.headers["etag"] as string;
    const again = await platform.call("images.list", { as: "viewer", headers: { "if-none-match": `"other", W/${tag}` } });
    expect([again.status, again.text, again.headers["etag"]]).toEqual([304, "", tag]);
    expect((await platform.call("images.list", { as: "viewer", headers: { "if-none-match": '"other"' } })).status).toBe(200);
  });

  it("forbid to keep what a change answers", async () => {
    expect((await platform.call("probe.note", { as: "operator", input: { text: "h" } })).headers).toMatchObject({ "cache-control": "no-store" });
  });

  it("say that an operation goes, when, and what takes its place", async () => {
    const { headers } = await platform.call("probe.old", { as: "viewer" });
    expect(headers).toMatchObject({ deprecation: "@1767225600", sunset: "Fri, 01 Jan 2027 00:00:00 GMT", link: '</api/v1/probe/broken>; rel="successor-version"' });
    const document = (await platform.inject({ method: "GET", url: "/openapi.json" })).body as { paths: Record<string, Record<string, unknown>> };
    expect(document.paths["/api/v1/probe/old"]?.["get"]).toMatchObject({ deprecated: true, "x-sunset": "2027-01-01T00:00:00Z" });
  });
});

describe("a kept answer", () => {
  it("is read once, until an event of its subject", async () => {
    const read = async (as: Caller = "viewer") => (await platform.call("probe.kept", { as, input: { text: "kept" } })).body;
    const first = await read();
    expect(await read("admin")).toEqual(first);
    expect(await read("other-tenant-admin")).not.toEqual(first);
    await platform.call("probe.note", { as: "operator", input: { text: "kept" } });
    expect(await read()).not.toEqual(first);
  });

  it("is not for who may not read it", async () => {
    expect((await platform.call("probe.kept", { as: "anonymous", input: { text: "kept" } })).status).toBe(401);
  });
});
