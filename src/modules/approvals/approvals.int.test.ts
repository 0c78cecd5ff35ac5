import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { testPlatform, type Answer, type Person, type TestPlatform } from "../../app/testing.ts";
import { sql, type Query } from "../../platform/database/sql.ts";
import { toTypeId, uuidOf } from "../../platform/ids.ts";
import { askToRemove, decide as decideAs, freshName as fresh, shelves, world, type Request } from "./testing/shelves.ts";

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

const ask = (name = fresh()): Promise<Request> => askToRemove(platform, name);
const decide = (verb: "approve" | "reject", request: Request, authorization: string, input: object = {}): Promise<Answer> => decideAs(platform, verb, request, { authorization }, input);

async function get(id: string, as: "admin" | "viewer" | "other-tenant-admin" = "admin"): Promise<Record<string, unknown>> {
  return (await platform.call("approvals.get", { as, input: { id } })).body as Record<string, unknown>;
}

async function ended(id: string, as: "admin" | "other-tenant-admin" = "admin"): Promise<Record<string, unknown>> {
  return vi.waitUntil(async () => {
    const shown = await get(id, as);
    return shown["state"] === "pending" || shown["state"] === "approved" ? undefined : shown;
  }, { timeout: 15_000, interval: 50 });
}

describe("a request", () => {
  it("given an agent that destroys, when another administrator approves, then it runs once, as whoever asked, and says what came of it", async () => {
    const name = fresh();
    const request = await ask(name);
    expect(world.removed).toEqual([]);
    expect(await get(request.id)).toMatchObject({ state: "pending", about: `remove=${name} shelf=full`, reasons: ["destructive-by-ai"], approvers: [{ role: "admin", count: 1 }], plan: { remove: name, shelf: "full" }, ai: true, needed: 1, possible: 2, you: { mayDecide: false } });
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

  it("given a tool that destroys, then an agent is told what waits, and to repeat nothing", async () => {
    const payload = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "shelves_remove", arguments: { name: fresh() } } });
    const answer = await platform.inject({ method: "POST", url: "/mcp", payload, headers: { "content-type": "application/json", accept: "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25" } }, "admin");
    expect(answer.text).toContain("has not run: it needs the approval of one of role admin (destructive-by-ai)");
    expect(answer.text).toMatch(/qinfra.quantumlayer.io\/approval.{1,20}approval/s);
    expect(world.removed).toEqual([]);
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
    expect(await ended(request.id)).toMatchObject({ state: "outdated", failure: { code: "approval-outdated", message: expect.stringContaining("shelves.remove") as string } });
    // What the operation said is for whoever may run it, as input and plan are.
    const hidden = { input: null, plan: null, failure: { code: "approval-outdated", message: "Shown to whoever has the permission of the operation." } };
    expect(await get(request.id, "viewer")).toMatchObject({ hidden: true, ...hidden });
    const listed = (await platform.call("approvals.list", { as: "viewer", input: { state: "outdated" } })).body as { items: { id: string }[] };
    expect(listed.items.find(({ id }) => id === request.id)).toMatchObject({ failure: hidden.failure });
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
    const { orgId } = platform.person("admin");
    const delegate = await platform.newMember(orgId, "operator");
    const session = await platform.newSession(delegate);
    const to = toTypeId("usr", delegate.userId);
    const asking = await platform.newSession(await platform.newMember(orgId, "admin"));
    const asked = (await platform.call("shelves.pair", { authorization: asking, input: { name: fresh() } })).body as { approval: string; hash: string };
    const request = { id: asked.approval, hash: asked.hash, state: "pending" };
    expect((await decide("approve", request, session)).body).toMatchObject({ code: "approver-not-eligible" });
    const made = await platform.call("approvals.delegate", { authorization: second, input: { to, endsAt: new Date(Date.now() + 60_000).toISOString() } });
    expect(made.status).toBe(201);
    expect((await decide("approve", request, session)).body).toMatchObject({ state: "pending" });
    // Both votes are one person's.
    expect((await decide("approve", request, second)).body).toMatchObject({ code: "approval-decided" });
    expect((await decide("approve", request, third)).body).toMatchObject({ state: "approved" });
    expect((await get(request.id))["decisions"]).toMatchObject([{ by: to, countsFor: toTypeId("usr", secondAdmin.userId), role: "admin" }, { role: "admin" }]);
  });

  it("given one who lacks the permission of the operation, then nothing is delegated that they could not see", async () => {
    const delegate = await platform.newMember(platform.person("admin").orgId, "operator");
    await platform.call("approvals.delegate", { authorization: second, input: { to: toTypeId("usr", delegate.userId), endsAt: new Date(Date.now() + 60_000).toISOString() } });
    expect((await decide("approve", await ask(), await platform.newSession(delegate))).body).toMatchObject({ code: "permission-missing" });
  });
});

describe("a way around", () => {
  const run = (query: Query): Promise<unknown> => platform.test.database.system((db) => db.run(query));
  const runOf = (id: string): Query => sql`select run_id from platform.approvals where id = ${uuidOf("apr", id)}`;
  const asMember = async (role: "admin" | "operator" = "admin"): Promise<string> => platform.newSession(await platform.newMember(platform.person("admin").orgId, role));
  const askWith = async (operation: string, authorization: string, input: object): Promise<Request> => {
    const { approval, hash } = (await platform.call(operation, { authorization, input: { ...input } })).body as { approval: string; hash: string };
    return { id: approval, hash, state: "pending" };
  };
  const agentKey = async (input: object): Promise<string> => {
    const made = await platform.call("api-keys.create", { authorization: third, input: { name: fresh(), agent: true, expiresInDays: 1, ...input } });
    return `Bearer ${(made.body as { key: string }).key}`;
  };

  it("given two requests under one idempotency key, when one has run, then the other ends, and is not open for ever", async () => {
    const name = fresh();
    const asked = async (): Promise<Request> => {
      const { approval, hash } = (await platform.call("shelves.remove", { as: "agent-key", input: { name }, headers: { "idempotency-key": `k-${name}` } })).body as { approval: string; hash: string };
      return { id: approval, hash, state: "pending" };
    };
    const first = await asked();
    world.shelf = "half";
    const other = await asked();
    expect(other.id).not.toBe(first.id);
    await decide("approve", other, second);
    expect(await ended(other.id)).toMatchObject({ state: "executed" });
    world.shelf = "full";
    await decide("approve", first, second);
    expect(await ended(first.id)).toMatchObject({ state: "outdated", failure: { message: expect.stringContaining("same idempotency key") as string } });
    expect(world.removed.filter((one) => one === name)).toEqual([name]);
  });

  it("given a person's request, when an agent writes what it would do, then it is an AI's from then on", async () => {
    const request = await askWith("shelves.remove", await asMember(), { name: fresh(), environment: "production" });
    expect(await get(request.id)).toMatchObject({ ai: false, reasons: ["destructive-in-production"] });
    const agent = await agentKey({ scopes: ["approvals:write", "images:delete"] });
    const modified = await platform.call("approvals.modify", { authorization: agent, input: { id: request.id, hash: request.hash, input: { name: fresh(), environment: "production" } } });
    expect(modified.body).toMatchObject({ ai: true, reasons: ["destructive-by-ai", "destructive-in-production"] });
  });

  it("given a person's request for what no agent may ask, then no agent changes it either", async () => {
    const request = await askWith("shelves.badge", await asMember(), { name: fresh() });
    const agent = await agentKey({ scopes: ["approvals:write", "members:write"] });
    const modified = await platform.call("approvals.modify", { authorization: agent, input: { id: request.id, hash: request.hash, input: { name: fresh() } } });
    expect(modified.body).toMatchObject({ status: 403, code: "policy-denied", detail: expect.stringContaining("ai-identity-permission") as string });
  });

  it("given a service account's key that changed a request, then who made the key does not approve it", async () => {
    const account = (await platform.call("service-accounts.create", { as: "admin", input: { name: fresh(), role: "admin" } })).body as { id: string };
    const key = await agentKey({ agent: false, serviceAccount: account.id, scopes: ["approvals:write", "images:delete"] });
    const request = await ask();
    const modified = await platform.call("approvals.modify", { authorization: key, input: { id: request.id, hash: request.hash, input: { name: fresh() } } });
    const changed = modified.body as { id: string; hash: string; state: string };
    expect((await decide("approve", changed, third)).body).toMatchObject({ code: "approver-served" });
    expect((await decide("approve", changed, second)).body).toMatchObject({ state: "approved" });
  });

  it("given a change to what another request of theirs waits for, then it is refused, and both stay", async () => {
    const [name, one] = [fresh(), await ask()];
    const other = await ask(name);
    expect((await platform.call("approvals.modify", { authorization: second, input: { id: one.id, hash: one.hash, input: { name } } })).body).toMatchObject({ status: 409, code: "approval-changed", detail: expect.stringContaining(other.id) as string });
    expect([(await get(one.id))["state"], (await get(other.id))["state"]]).toEqual(["pending", "pending"]);
  });

  it("given an approver who has lost the role since, then their vote counts no more", async () => {
    const leaving = await platform.newMember(platform.person("admin").orgId, "admin");
    const request = await askWith("shelves.pair", await asMember(), { name: fresh() });
    expect((await decide("approve", request, await platform.newSession(leaving))).body).toMatchObject({ state: "pending" });
    await run(sql`update organizations.memberships set role = 'viewer' where user_id = ${leaving.userId}`);
    expect((await decide("approve", request, second)).body).toMatchObject({ state: "pending" });
    expect((await decide("approve", request, third)).body).toMatchObject({ state: "approved" });
  });

  it("given nothing wrote down that a request's time is over, when it is asked for again, then it is another request", async () => {
    const name = fresh();
    const request = await ask(name);
    await run(sql`update platform.workflow_runs set state = 'cancelled', cancelled_at = now(), ended_at = now() where id = (${runOf(request.id)})`);
    await run(sql`update platform.approvals set expires_at = now() - interval '1 second' where id = ${uuidOf("apr", request.id)}`);
    const again = await ask(name);
    expect(again.id).not.toBe(request.id);
    expect(await get(request.id)).toMatchObject({ state: "expired" });
    expect((await decide("approve", again, second)).body).toMatchObject({ state: "approved" });
  });

  it("given a run that was cancelled and does not know it yet, when the request is approved, then it runs all the same", async () => {
    const request = await ask();
    await run(sql`update platform.workflow_runs set cancelled_at = now() where id = (${runOf(request.id)})`);
    await decide("approve", request, second);
    expect(await ended(request.id)).toMatchObject({ state: "executed" });
  });

  it("given the run broke after the approval, then another one follows the request", async () => {
    const request = await ask();
    await run(sql`update platform.workflow_runs set state = 'failed', ended_at = now() where id = (${runOf(request.id)})`);
    await run(sql`update platform.approvals set state = 'approved', run_before = now() - interval '1 second' where id = ${uuidOf("apr", request.id)}`);
    expect(await platform.platform.followApprovals((work) => platform.test.database.system(work))).toBeGreaterThanOrEqual(1);
    expect(await ended(request.id)).toMatchObject({ state: "expired" });
    expect(await platform.platform.followApprovals((work) => platform.test.database.system(work))).toBe(0);
    expect(world.removed).toEqual([]);
  });
});

describe("a hundred decisions at once", () => {
  it("leave exactly one, and it runs once", async () => {
    const { orgId } = platform.person("admin");
    const sessions = await Promise.all(Array.from({ length: 100 }, async () => platform.newSession(await platform.newMember(orgId, "admin"))));
    const request = await ask();
    const answers = await Promise.all(sessions.map((session) => decide("approve", request, session)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(new Set(answers.filter(({ status }) => status !== 200).map(({ body }) => (body as { code: string }).code))).toEqual(new Set(["approval-ended"]));
    expect(await ended(request.id)).toMatchObject({ state: "executed" });
    expect((await get(request.id))["decisions"]).toHaveLength(1);
    expect(world.removed).toHaveLength(1);
  });
});

describe("the only person who could decide", () => {
  const sessionOf = async (person: Person): Promise<string> => {
    const session = await platform.newSession(person, { secondFactor: true });
    await platform.test.database.system((db) => db.run(sql`update organizations.sessions set confirmed_at = now() where user_id = ${person.userId}`));
    return session;
  };

  it("confirms with a second factor and a reason, and it is recorded as self-approved", async () => {
    const person = platform.person("other-tenant-admin");
    const plain = await platform.newSession(person);
    const key = (await platform.call("api-keys.create", { as: "other-tenant-admin", input: { name: "agent", agent: true, scopes: ["images:delete"], expiresInDays: 1 } })).body as { key: string };
    const request = await askToRemove(platform, fresh(), { authorization: `Bearer ${key.key}` });
    expect((await decide("approve", request, plain)).body).toMatchObject({ code: "approval-reason-needed" });
    expect((await decide("approve", request, plain, { reason: "I am alone here." })).body).toMatchObject({ code: "confirmation-needed" });
    const session = await sessionOf(person);
    expect((await decide("approve", request, session, { reason: "I am alone here." })).body).toMatchObject({ state: "approved", selfApproved: true });
    const shown = await ended(request.id, "other-tenant-admin");
    expect(shown).toMatchObject({ state: "executed", selfApproved: true, decisions: [{ sole: true, reason: "I am alone here." }] });
    const log = await platform.test.database.system((db) => db.many<{ body: string }>(sql`select body::text as body from events.log where subject = ${request.id}`));
    expect(log.join()).not.toContain("I am alone");
  });

  it("is nobody as long as a second one was there in the last 30 days, who was sent away for it", async () => {
    const person = platform.person("other-tenant-admin");
    const gone = await platform.newMember(person.orgId, "admin");
    const request = await askToRemove(platform, fresh(), { as: "other-tenant-admin", input: { environment: "production" } });
    const removed = await platform.call("members.remove", { as: "other-tenant-admin", input: { user: toTypeId("usr", gone.userId) } });
    const session = await sessionOf(person);
    expect(removed.status).toBe(200);
    expect((await decide("approve", request, session, { reason: "They have left." })).body).toMatchObject({ code: "approver-served" });
    expect(await get(request.id, "other-tenant-admin")).toMatchObject({ needed: 2, possible: 0 });
    await platform.test.database.system((db) => db.run(sql`update organizations.past_memberships set until = until - interval '31 days' where org_id = ${person.orgId}`));
    expect((await decide("approve", request, session, { reason: "They left a month ago." })).body).toMatchObject({ state: "approved", selfApproved: true });
  });
});
