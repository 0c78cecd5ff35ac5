import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sql } from "../../src/platform/database/sql.ts";
import { testPlatform, type TestPlatform } from "../../src/app/testing.ts";
import { probe, seen } from "./probe-module.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform({ extraModules: [probe] });
});
afterAll(() => platform.close());
beforeEach(() => {
  Object.assign(seen, { prepared: 0, handled: 0, plans: [] });
});

function events(type: string): Promise<number> {
  return platform.test.database.system(async (db) => (await db.one<{ n: number }>(sql`select count(*) as n from events.log where type = ${type}`)).n);
}

describe("before a change", () => {
  it("prepares nothing for a caller who may not ask", async () => {
    expect((await platform.call("probe.note", { as: "anonymous", input: { text: "a" } })).status).toBe(401);
    expect((await platform.call("probe.note", { as: "viewer", input: { text: "a" } })).body).toMatchObject({ status: 403, code: "permission-missing", data: { permission: "images:build" } });
    expect((await platform.call("probe.note", { as: "operator", input: {} })).body).toMatchObject({ status: 400, code: "invalid-input", data: { faults: [{ path: "/text", message: "is required" }] } });
    expect(seen.prepared).toBe(0);
  });

  it("asks the policy with the organization's settings", async () => {
    const { orgId } = platform.person("operator");
    const set = (settings: object) => platform.test.database.system((db) => db.run(sql`update organizations.organizations set settings = ${JSON.stringify(settings)} where id = ${orgId}`));
    await set({ readOnly: true });
    expect((await platform.call("probe.note", { as: "operator", input: { text: "a" } })).body).toMatchObject({ status: 403, code: "policy-denied", data: { reasons: ["organization-read-only"] } });
    expect(seen.prepared).toBe(0);
    await set({ requireApproval: ["probe.note"] });
    expect((await platform.call("probe.note", { as: "operator", input: { text: "a" } }))).toMatchObject({ status: 202, body: { state: "pending", reasons: ["approval-required-by-organization"] } });
    expect(seen.handled).toBe(0);
    await set({});
    expect((await platform.call("probe.note", { as: "operator", input: { text: "a" } })).status).toBe(200);
  });
});

describe("a destructive operation", () => {
  it("runs as planned for a person", async () => {
    expect((await platform.call("probe.destroy", { as: "admin", input: { name: "thing" } })).body).toEqual({ destroyed: "thing" });
    expect(seen.plans).toEqual([{ destroy: "thing" }]);
  });

  it("waits for people where an AI actor asks, with the same hash for the same plan", async () => {
    const first = await platform.call("probe.destroy", { as: "agent-key", input: { name: "thing" } });
    const again = await platform.call("probe.destroy", { as: "agent-key", input: { name: "thing" } });
    const other = await platform.call("probe.destroy", { as: "agent-key", input: { name: "other" } });
    expect(first).toMatchObject({ status: 202, body: { state: "pending", reasons: ["destructive-by-ai"], approvers: [{ role: "admin", count: 1 }] } });
    const hashOf = (answer: { body: unknown }) => (answer.body as { hash: string }).hash;
    expect(hashOf(first)).toMatch(/^[0-9a-f]{64}$/);
    expect(hashOf(again)).toBe(hashOf(first));
    expect(hashOf(other)).not.toBe(hashOf(first));
    expect(seen.plans).toEqual([]);
  });
});

describe("an idempotency key", () => {
  it("answers a repeated request again and does not run it", async () => {
    const call = () => platform.call("probe.note", { as: "operator", input: { text: "once" }, headers: { "idempotency-key": "k-1" } });
    const first = await call();
    const second = await call();
    expect(second.body).toEqual(first.body);
    expect(second.headers["idempotent-replay"]).toBe("true");
    expect(seen.handled).toBe(1);
  });

  it("is refused with another input, and counts for one actor and operation only", async () => {
    const headers = { "idempotency-key": "k-2" };
    await platform.call("probe.note", { as: "operator", input: { text: "x" }, headers });
    expect((await platform.call("probe.note", { as: "operator", input: { text: "y" }, headers })).body).toMatchObject({ status: 422, code: "idempotency-mismatch" });
    expect((await platform.call("probe.note", { as: "admin", input: { text: "y" }, headers })).status).toBe(200);
  });

  it("lets exactly one of ten simultaneous requests run", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => platform.call("probe.note", { as: "operator", input: { text: "race" }, headers: { "idempotency-key": "k-3" } })));
    const noted = answers.filter((answer) => answer.status === 200).map((answer) => (answer.body as { count: number }).count);
    expect(new Set(noted).size).toBe(1);
    expect(answers.every((answer) => answer.status === 200 || answer.status === 409)).toBe(true);
    const kept = await platform.test.database.system((db) => db.one<{ n: number }>(sql`select count(*) as n from events.log where subject = 'probe_race'`));
    expect(kept.n).toBe(1);
  });

  it("is not kept for a request that failed", async () => {
    const headers = { "idempotency-key": "k-4" };
    expect((await platform.call("probe.note", { as: "operator", input: { text: "f", fail: true }, headers })).status).toBe(409);
    expect((await platform.call("probe.note", { as: "operator", input: { text: "f", fail: true }, headers })).status).toBe(409);
    expect(seen.handled).toBe(2);
  });
});

describe("a change that fails", () => {
  it("leaves no event behind", async () => {
    const before = await events("probe.noted");
    expect((await platform.call("probe.note", { as: "operator", input: { text: "z", fail: true } })).status).toBe(409);
    expect(await events("probe.noted")).toBe(before);
  });

  it("says nothing of an error that nobody declared but where to look", async () => {
    const answer = await platform.call("probe.break", { as: "viewer" });
    expect(answer.body).toMatchObject({ status: 500, code: "internal" });
    expect(answer.text).not.toContain("4711");
    expect(platform.errors().join("\n")).toContain("4711");
  });
});
