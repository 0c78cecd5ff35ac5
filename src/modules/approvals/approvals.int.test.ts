import { Type } from "typebox";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { testPlatform, type Answer, type Person, type TestPlatform } from "../../app/testing.ts";
import { sql } from "../../platform/database/sql.ts";
import { toTypeId, uuidOf } from "../../platform/ids.ts";
import { operation, type Module } from "../../platform/operation/index.ts";

/** What the operations below read and change. */
const world = { shelf: "full", removed: [] as string[] };

const remove = operation({
  id: "shelves.remove", http: "DELETE /api/v1/shelves/{name}", summary: "Remove a shelf as it is", permission: "images:delete", effect: "destructive",
  input: Type.Object({ name: Type.String({ pattern: "^[a-z]{1,20}$" }), environment: Type.Optional(Type.String({ maxLength: 20 })) }),
  output: Type.Object({ removed: Type.String(), by: Type.String() }), examples: [{ input: { name: "a" } }],
  prepare: async () => ({ shelf: world.shelf }),
  plan: ({ shelf }, { name, environment }) => ({ remove: name, shelf, ...(environment === undefined ? {} : { environment }) }),
  async handle({ actor }, { name }) {
    world.removed.push(name);
    return { removed: name, by: toTypeId("usr", actor.userId ?? "") };
  },
});

const label = operation({
  id: "shelves.label", http: "POST /api/v1/shelves/{name}/labels", summary: "Label a shelf", permission: "images:build", effect: "change",
  approvers: [{ role: "operator", count: 1 }],
  input: Type.Object({ name: Type.String({ pattern: "^[a-z]{1,20}$" }) }), output: Type.Object({ labelled: Type.String() }), examples: [{ input: { name: "a" } }],
  async handle(_context, { name }) {
    world.removed.push(`label ${name}`);
    return { labelled: name };
  },
});

const shelves: Module = { name: "shelves", operations: [remove, label] };

let platform: TestPlatform;
let second: string;
let third: string;
let secondAdmin: Person;
beforeAll(async () => {
  platform = await testPlatform({ extraModules: [shelves], workflows: true });
  secondAdmin = await platform.newMember(platform.person("admin").orgId, "admin");
  second = await platform.newSession(secondAdmin);
  third = await platform.newSession(await platform.newMember(platform.person("admin").orgId, "admin"));
});
afterAll(() => platform.close());
beforeEach(() => {
  Object.assign(world, { shelf: "full", removed: [] });
});

interface Request {
  id: string;
  hash: string;
  state: string;
}

let serial = 0;
/** A name that no other test asks about. */
function fresh(): string {
  return `s${(serial += 1).toString(26).replaceAll(/\d/g, (digit) => "abcdefghij"[Number(digit)] ?? "")}`;
}

async function ask(name = fresh(), as: "agent-key" | "operator" = "agent-key", input: object = {}): Promise<Request> {
  const answer = await platform.call("shelves.remove", { as, input: { name, ...input } });
  expect(answer).toMatchObject({ status: 202, body: { state: "pending" } });
  const { approval, hash, state } = answer.body as { approval: string; hash: string; state: string };
  expect(answer.headers["location"]).toBe(`/api/v1/approvals/${approval}`);
  return { id: approval, hash, state };
}

function decide(verb: "approve" | "reject", { id, hash }: Request, authorization: string, input: object = {}): Promise<Answer> {
  return platform.call(`approvals.${verb}`, { authorization, input: { id, hash, ...(verb === "reject" ? { reason: "no" } : {}), ...input } });
}

async function get(id: string, as: "admin" | "viewer" | "other-tenant-admin" = "admin"): Promise<Record<string, unknown>> {
  return (await platform.call("approvals.get", { as, input: { id } })).body as Record<string, unknown>;
}

async function ended(id: string): Promise<Record<string, unknown>> {
  return vi.waitUntil(async () => {
    const shown = await get(id);
    return shown["state"] === "pending" || shown["state"] === "approved" ? undefined : shown;
  }, { timeout: 15_000, interval: 50 });
}

describe("a request", () => {
  it("given an agent that destroys, when another administrator approves, then it runs once, as whoever asked, and says what came of it", async () => {
    const name = fresh();
    const request = await ask(name);
    expect(world.removed).toEqual([]);
    expect(await get(request.id)).toMatchObject({ state: "pending", reasons: ["destructive-by-ai"], approvers: [{ role: "admin", count: 1 }], plan: { remove: name, shelf: "full" }, ai: true, needed: 1, possible: 2, you: { mayDecide: false } });
    expect((await decide("approve", request, second)).body).toMatchObject({ state: "approved" });
    expect(await ended(request.id)).toMatchObject({ state: "executed", output: { removed: name, by: toTypeId("usr", platform.person("admin").userId) }, selfApproved: false });
    expect(world.removed).toEqual([name]);
    const log = await platform.test.database.system((db) => db.many<{ type: string; request: string }>(sql`select type, body::json->>'requestid' as request from events.log where subject = ${request.id} order by id`));
    expect(log.map(({ type }) => type)).toEqual(["approvals.requested", "approvals.decided", "approvals.executed"]);
    // What ran belongs to the request that asked for it.
    expect(log[2]?.request).toBe(log[0]?.request);
  });

  it("given the same asked again while it waits, then it is the same request; after it has run, another one", async () => {
    const name = fresh();
    const request = await ask(name);
    expect((await ask(name)).id).toBe(request.id);
    await decide("approve", request, second);
    await ended(request.id);
    expect((await ask(name)).id).not.toBe(request.id);
  });

  it("given an idempotency key, when it has run, then the call that asked answers what came of it", async () => {
    const name = fresh();
    const call = () => platform.call("shelves.remove", { as: "agent-key", input: { name }, headers: { "idempotency-key": `k-${name}` } });
    const { approval, hash } = (await call()).body as { approval: string; hash: string };
    await decide("approve", { id: approval, hash, state: "pending" }, second);
    await ended(approval);
    expect(await call()).toMatchObject({ status: 200, body: { removed: name } });
    expect(world.removed).toEqual([name]);
  });

  it("given the world changes before it runs, then it does not, and says so", async () => {
    const request = await ask();
    world.shelf = "empty";
    await decide("approve", request, second);
    expect(await ended(request.id)).toMatchObject({ state: "outdated", failure: { code: "approval-outdated" } });
    expect(world.removed).toEqual([]);
  });

  it("given the key of whoever asked is revoked meanwhile, then it does not run", async () => {
    const key = await platform.call("api-keys.create", { as: "admin", input: { name: "short", agent: true, scopes: ["images:delete"], expiresInDays: 1 } });
    const { id, key: secret } = key.body as { id: string; key: string };
    const asked = await platform.call("shelves.remove", { authorization: `Bearer ${secret}`, input: { name: fresh() } });
    expect(asked.status).toBe(202);
    const { approval, hash } = asked.body as { approval: string; hash: string };
    await platform.call("api-keys.revoke", { as: "admin", input: { id } });
    await decide("approve", { id: approval, hash, state: "pending" }, second);
    expect(await ended(approval)).toMatchObject({ state: "outdated" });
    expect(world.removed).toEqual([]);
  });

  it("given something destroyed in production by a person, then two others have to approve", async () => {
    const owner = await platform.newMember(platform.person("admin").orgId, "admin");
    const name = fresh();
    const asked = await platform.call("shelves.remove", { authorization: await platform.newSession(owner), input: { name, environment: "production" } });
    const { approval: id, hash, approvers } = asked.body as { approval: string; hash: string; approvers: unknown };
    expect(approvers).toEqual([{ role: "admin", count: 2 }]);
    expect((await decide("approve", { id, hash, state: "" }, second)).body).toMatchObject({ state: "pending" });
    expect((await decide("approve", { id, hash, state: "" }, second)).body).toMatchObject({ code: "approval-decided" });
    expect((await decide("approve", { id, hash, state: "" }, third)).body).toMatchObject({ state: "approved" });
    expect(await ended(id)).toMatchObject({ state: "executed" });
  });

  it("given an operation that names operators, then one of them approves, or an administrator", async () => {
    const settings = (requireApproval: string[]) => platform.test.database.system((db) => db.run(sql`update organizations.organizations set settings = ${JSON.stringify({ requireApproval })} where id = ${platform.person("admin").orgId}`));
    await settings(["shelves.label"]);
    const another = await platform.newSession(await platform.newMember(platform.person("admin").orgId, "operator"));
    const asked = await platform.call("shelves.label", { as: "operator", input: { name: fresh() } });
    const { approval: id, hash } = asked.body as { approval: string; hash: string };
    expect((await decide("approve", { id, hash, state: "" }, another)).body).toMatchObject({ state: "approved" });
    await settings([]);
    expect(await ended(id)).toMatchObject({ state: "executed" });
  });

  it("given its time is over, then it has expired, and nobody approves it any more", async () => {
    const request = await ask();
    await platform.test.database.system((db) => db.run(sql`update platform.approvals set expires_at = now() - interval '1 second' where id = ${uuidOf("apr", request.id)}`));
    expect((await decide("approve", request, second)).body).toMatchObject({ status: 409, code: "approval-ended" });
  });

  it("given it is rejected, or taken back, then it has ended, and runs no more", async () => {
    const rejected = await ask();
    expect((await decide("reject", rejected, second)).body).toMatchObject({ state: "rejected" });
    expect((await decide("approve", rejected, third)).body).toMatchObject({ code: "approval-ended" });
    const withdrawn = await ask();
    expect((await platform.call("approvals.withdraw", { as: "agent-key", input: { id: withdrawn.id } })).body).toMatchObject({ state: "withdrawn" });
    expect((await decide("approve", withdrawn, second)).body).toMatchObject({ code: "approval-ended" });
    expect(world.removed).toEqual([]);
  });

  it("given somebody cancelled the run that waits for it, when it is approved, then it runs all the same", async () => {
    const request = await ask();
    await platform.test.database.system((db) => db.run(sql`update platform.workflow_runs set state = 'cancelled', ended_at = now() where id = (select run_id from platform.approvals where id = ${uuidOf("apr", request.id)})`));
    await decide("approve", request, second);
    expect(await ended(request.id)).toMatchObject({ state: "executed" });
  });
});

describe("a change of a request", () => {
  it("given an approval, when the input is changed, then it has another hash, the approval lapses, and who changed it does not approve", async () => {
    const owner = await platform.newMember(platform.person("admin").orgId, "admin");
    const asked = await platform.call("shelves.remove", { authorization: await platform.newSession(owner), input: { name: fresh(), environment: "production" } });
    const { approval: id, hash } = asked.body as { approval: string; hash: string };
    await decide("approve", { id, hash, state: "" }, second);
    const name = fresh();
    const modified = await platform.call("approvals.modify", { authorization: third, input: { id, hash, input: { name, environment: "production" } } });
    expect(modified.body).toMatchObject({ state: "pending", revision: 2 });
    const next = (modified.body as { hash: string }).hash;
    expect(next).not.toBe(hash);
    expect((await decide("approve", { id, hash, state: "" }, second)).body).toMatchObject({ code: "approval-changed" });
    expect((await decide("approve", { id, hash: next, state: "" }, third)).body).toMatchObject({ code: "approver-served" });
    expect((await decide("approve", { id, hash: next, state: "" }, second)).body).toMatchObject({ state: "pending" });
    const fourth = await platform.newSession(await platform.newMember(platform.person("admin").orgId, "admin"));
    expect((await decide("approve", { id, hash: next, state: "" }, fourth)).body).toMatchObject({ state: "approved" });
    expect(await ended(id)).toMatchObject({ state: "executed", plan: { remove: name }, output: { by: toTypeId("usr", owner.userId) } });
    expect((await get(id))["decisions"]).toMatchObject([{ lapsed: true }, { lapsed: false }, { lapsed: false }]);
  });

  it("given comments, then they are shown, and gone with the person who wrote them", async () => {
    const request = await ask();
    const author = await platform.newMember(platform.person("admin").orgId, "operator");
    await platform.call("approvals.comment", { authorization: await platform.newSession(author), input: { id: request.id, text: "Which shelf is that?" } });
    expect((await get(request.id))["comments"]).toMatchObject([{ by: toTypeId("usr", author.userId), text: "Which shelf is that?", ai: false }]);
    const stored = await platform.test.database.system((db) => db.many<{ body: string }>(sql`select body::text as body from events.log where type = 'approvals.commented'`));
    expect(stored.join()).not.toContain("Which shelf");
  });
});

describe("a delegation", () => {
  it("given an operator to whom an administrator has delegated, then their decision counts as the administrator's, once", async () => {
    const delegate = await platform.newMember(platform.person("admin").orgId, "operator");
    const session = await platform.newSession(delegate);
    const request = await ask();
    expect((await decide("approve", request, session)).body).toMatchObject({ status: 403 });
    const made = await platform.call("approvals.delegate", { authorization: second, input: { to: toTypeId("usr", delegate.userId), endsAt: new Date(Date.now() + 60_000).toISOString() } });
    expect(made.status).toBe(201);
    // An operator may not delete images, and so does not see what they would decide on.
    expect((await decide("approve", request, session)).body).toMatchObject({ code: "permission-missing" });
    await platform.call("members.set-role", { as: "admin", input: { user: toTypeId("usr", delegate.userId), role: "admin" } });
    await platform.call("approvals.end-delegation", { authorization: second, input: { id: (made.body as { id: string }).id } });
  });
});

