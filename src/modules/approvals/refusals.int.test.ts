import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testPlatform, type Answer, type Caller, type TestCall, type TestPlatform } from "../../app/testing.ts";
import { sql, type Query } from "../../platform/database/sql.ts";
import { toTypeId, uuidOf } from "../../platform/ids.ts";
import { askToRemove, decide, freshName, shelves, world, type Request } from "./testing/shelves.ts";

let platform: TestPlatform;
const sessions: Record<string, string> = {};
beforeAll(async () => {
  platform = await testPlatform({ extraModules: [shelves], workflows: true });
  const { orgId } = platform.person("admin");
  for (const name of ["second", "third", "disabled", "removed", "revoked", "demoted"]) {
    const person = await platform.newMember(orgId, "admin");
    sessions[name] = await platform.newSession(person);
    if (name === "disabled") await change(sql`update organizations.users set disabled_at = now() where id = ${person.userId}`);
    if (name === "removed") await change(sql`delete from organizations.memberships where user_id = ${person.userId}`);
    if (name === "revoked") await change(sql`update organizations.sessions set revoked_at = now() where user_id = ${person.userId}`);
    if (name === "demoted") await change(sql`update organizations.memberships set role = 'operator' where user_id = ${person.userId}`);
  }
  sessions["one-time"] = await platform.newSession(await platform.newMember(orgId, "admin"), { mustChange: true });
  const keyOf = async (name: string, agent: boolean): Promise<string> => {
    const made = await platform.call("api-keys.create", { authorization: sessions["third"] ?? "", input: { name, agent, scopes: ["approvals:decide", "approvals:write", "images:delete"], expiresInDays: 1 } });
    return `Bearer ${(made.body as { key: string }).key}`;
  };
  sessions["key"] = await keyOf("plain", false);
  sessions["agent of third"] = await keyOf("agent", true);
});
afterAll(() => platform.close());

function change(query: Query): Promise<unknown> {
  return platform.test.database.system((db) => db.run(query));
}

function by(who: string): TestCall {
  const authorization = sessions[who];
  return authorization === undefined ? { as: who as Caller } : { authorization };
}

const other: { value?: Request } = {};
type Attempt = (request: Request) => Promise<Answer>;
const approveBy = (who: string, input: object = {}): Attempt => (request) => decide(platform, "approve", request, by(who), input);
const call = (operation: string, who: string, input: (request: Request) => Record<string, unknown>): Attempt => (request) => platform.call(operation, { ...by(who), input: input(request) });
const after = (arrange: (request: Request) => Promise<unknown>, attempt: Attempt): Attempt => async (request) => {
  await arrange(request);
  return attempt(request);
};
const expire = ({ id }: Request) => change(sql`update platform.approvals set expires_at = now() - interval '1 second' where id = ${uuidOf("apr", id)}`);
const modify = (who: string): Attempt => call("approvals.modify", who, ({ id, hash }) => ({ id, hash, input: { name: freshName() } }));
const modified = async (request: Request, who = "second"): Promise<Request> => ({ ...request, hash: ((await modify(who)(request)).body as { hash: string }).hash });
const delegateTo = async (to: string, input: object): Promise<string> => {
  const member = await platform.newMember(platform.person("admin").orgId, "operator");
  sessions[to] = await platform.newSession(member);
  await platform.call("approvals.delegate", { ...by("second"), input: { to: toTypeId("usr", member.userId), endsAt: new Date(Date.now() + 3_600_000).toISOString(), ...input } });
  return toTypeId("usr", member.userId);
};
const askForPair = async (): Promise<Request> => {
  const asked = (await platform.call("shelves.pair", { ...by("third"), input: { name: freshName() } })).body as { approval: string; hash: string };
  return { id: asked.approval, hash: asked.hash, state: "pending" };
};

describe("a decision that is none is refused, and nothing runs", () => {
  it.each<[string, Attempt, number, string]>([
    // Forged
    ["with a hash of zeros", approveBy("second", { hash: "0".repeat(64) }), 409, "approval-changed"],
    ["with the hash in capitals", (r) => approveBy("second", { hash: r.hash.toUpperCase().replace(/^\d+$/, "A") })(r), 400, "invalid-input"],
    ["with a hash that is cut short", (r) => approveBy("second", { hash: r.hash.slice(1) })(r), 400, "invalid-input"],
    ["with a hash that is too long", (r) => approveBy("second", { hash: `${r.hash}0` })(r), 400, "invalid-input"],
    ["with the first letter of the hash changed", (r) => approveBy("second", { hash: `${r.hash.startsWith("0") ? "1" : "0"}${r.hash.slice(1)}` })(r), 409, "approval-changed"],
    ["with the hash as a list", (r) => approveBy("second", { hash: [r.hash] })(r), 400, "invalid-input"],
    ["without a hash", call("approvals.approve", "second", ({ id }) => ({ id })), 400, "invalid-input"],
    ["with the hash of another request", (r) => approveBy("second", { hash: other.value?.hash })(r), 409, "approval-changed"],
    ["with the id of another request", (r) => approveBy("second", { id: other.value?.id })(r), 409, "approval-changed"],
    ["on a request that there is not", approveBy("second", { id: "apr_01jd0000000000000000000000" }), 404, "approval-not-found"],
    ["with the id of something else", (r) => approveBy("second", { id: r.id.replace("apr_", "img_") })(r), 400, "invalid-input"],
    ["with a UUID for an id", (r) => approveBy("second", { id: uuidOf("apr", r.id) })(r), 400, "invalid-input"],
    ["with SQL for an id", approveBy("second", { id: "apr_' or true --" }), 400, "invalid-input"],
    ["with a revision of the caller's own", approveBy("second", { revision: 1 }), 400, "invalid-input"],
    ["as the only person, by saying so", approveBy("admin", { sole: true }), 400, "invalid-input"],
    ["in the name of another", approveBy("admin", { user: "usr_01jd0000000000000000000000" }), 400, "invalid-input"],
    ["with the state set beside it", approveBy("second", { state: "approved" }), 400, "invalid-input"],
    ["with a reason of blanks", approveBy("second", { reason: "   " }), 400, "invalid-input"],
    ["a rejection without a reason", call("approvals.reject", "second", ({ id, hash }) => ({ id, hash })), 400, "invalid-input"],
    // By whom it must not be
    ["by nobody", approveBy("anonymous"), 401, "unauthenticated"],
    ["by a viewer", approveBy("viewer"), 403, "permission-missing"],
    ["by an auditor", approveBy("auditor"), 403, "permission-missing"],
    ["by an operator, who could not do it", approveBy("operator"), 403, "permission-missing"],
    ["by the person in whose name an agent asked", approveBy("admin"), 403, "approver-served"],
    ["by the agent itself", approveBy("agent-key"), 403, "policy-denied"],
    ["by another agent", approveBy("agent of third"), 403, "policy-denied"],
    ["by a key that is no agent's", approveBy("key"), 403, "policy-denied"],
    ["by a key, as a rejection", (r) => decide(platform, "reject", r, by("key")), 403, "policy-denied"],
    ["by a person who is disabled", approveBy("disabled"), 401, "unauthenticated"],
    ["by a person who was removed", approveBy("removed"), 401, "unauthenticated"],
    ["by a session that was revoked", approveBy("revoked"), 401, "unauthenticated"],
    ["by an administrator of yesterday", approveBy("demoted"), 403, "permission-missing"],
    ["after a one-time password", approveBy("one-time"), 403, "password-change-required"],
    ["by an administrator of the platform, who is no member", approveBy("platform-admin"), 404, "approval-not-found"],
    ["by a key that delegates to somebody", call("approvals.delegate", "key", () => ({ to: toTypeId("usr", platform.person("operator").userId), endsAt: new Date(Date.now() + 60_000).toISOString() })), 403, "policy-denied"],
    // Replayed
    ["again, once it has run", after((r) => approveBy("second")(r), approveBy("second")), 409, "approval-ended"],
    ["by another, once it was approved", after((r) => approveBy("second")(r), approveBy("third")), 409, "approval-ended"],
    ["a rejection, once it was approved", after((r) => approveBy("second")(r), (r) => decide(platform, "reject", r, by("third"))), 409, "approval-ended"],
    ["after a rejection", after((r) => decide(platform, "reject", r, by("second")), approveBy("third")), 409, "approval-ended"],
    ["after it was taken back", after((r) => platform.call("approvals.withdraw", { as: "agent-key", input: { id: r.id } }), approveBy("second")), 409, "approval-ended"],
    ["twice by one person where two are asked for", async () => {
      const pair = await askForPair();
      await approveBy("second")(pair);
      return approveBy("second")(pair);
    }, 409, "approval-decided"],
    ["with another hash under the same idempotency key", after(
      (r) => decide(platform, "approve", r, { ...by("second"), headers: { "idempotency-key": `k-${r.id}` } }),
      (r) => decide(platform, "approve", { ...r, hash: "1".repeat(64) }, { ...by("second"), headers: { "idempotency-key": `k-${r.id}` } }),
    ), 422, "idempotency-mismatch"],
    ["taken back by somebody who did not ask", call("approvals.withdraw", "operator", ({ id }) => ({ id })), 403, "approver-not-eligible"],
    // Expired
    ["after its time", after(expire, approveBy("second")), 409, "approval-ended"],
    ["a rejection, after its time", after(expire, (r) => decide(platform, "reject", r, by("second"))), 409, "approval-ended"],
    ["a change, after its time", after(expire, modify("second")), 409, "approval-ended"],
    ["taken back, after its time", after(expire, call("approvals.withdraw", "agent-key", ({ id }) => ({ id }))), 409, "approval-ended"],
    ["by a delegate whose time is over", async () => {
      const to = await delegateTo("late", { operations: ["shelves.pair"] });
      await change(sql`update platform.approval_delegations set starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour' where to_user = ${uuidOf("usr", to)}`);
      return approveBy("late")(await askForPair());
    }, 403, "approver-not-eligible"],
    ["by a delegate whose time has not begun", async () => {
      await delegateTo("early", { startsAt: new Date(Date.now() + 1_800_000).toISOString() });
      return approveBy("early")(await askForPair());
    }, 403, "approver-not-eligible"],
    ["by a delegate for something else", async () => {
      await delegateTo("elsewhere", { operations: ["images.delete"] });
      return approveBy("elsewhere")(await askForPair());
    }, 403, "approver-not-eligible"],
    // Modified
    ["with the hash of before a change", after((r) => modified(r), approveBy("third")), 409, "approval-changed"],
    ["by who changed it", async (r) => approveBy("second")(await modified(r)), 403, "approver-served"],
    ["by the person in whose name an agent changed it", async (r) => approveBy("third")(await modified(r, "agent of third")), 403, "approver-served"],
    ["a change of what was changed meanwhile", after((r) => modified(r, "third"), modify("second")), 409, "approval-changed"],
    ["a change to what is no input", call("approvals.modify", "second", ({ id, hash }) => ({ id, hash, input: { name: "NO" } })), 400, "invalid-input"],
    ["a change by somebody who could not do it", modify("operator"), 403, "permission-missing"],
    ["a change after it was approved", after((r) => approveBy("second")(r), modify("third")), 409, "approval-ended"],
    // Of another organization
    ["by an administrator of another organization", approveBy("other-tenant-admin"), 404, "approval-not-found"],
    ["by one who names this organization in the header", (r) => decide(platform, "approve", r, { as: "other-tenant-admin", headers: { "qinfra-organization": toTypeId("org", platform.person("admin").orgId) } }), 401, "unauthenticated"],
    ["a rejection from another organization", (r) => decide(platform, "reject", r, by("other-tenant-admin")), 404, "approval-not-found"],
    ["a change from another organization", modify("other-tenant-admin"), 404, "approval-not-found"],
    ["a comment from another organization", call("approvals.comment", "other-tenant-admin", ({ id }) => ({ id, text: "hello" })), 404, "approval-not-found"],
    ["taken back from another organization", call("approvals.withdraw", "other-tenant-admin", ({ id }) => ({ id })), 404, "approval-not-found"],
    ["a look from another organization", call("approvals.get", "other-tenant-admin", ({ id }) => ({ id })), 404, "approval-not-found"],
    ["a delegation to somebody of another organization", call("approvals.delegate", "second", () => ({ to: toTypeId("usr", platform.person("other-tenant-admin").userId), endsAt: new Date(Date.now() + 60_000).toISOString() })), 404, "member-not-found"],
  ])("%s", async (_what, attempt, status, code) => {
    other.value ??= await askToRemove(platform);
    const name = freshName();
    const request = await askToRemove(platform, name);
    const answer = await attempt(request);
    expect({ status: answer.status, code: (answer.body as { code: string }).code }).toEqual({ status, code });
    const { decisions } = (await platform.call("approvals.get", { as: "admin", input: { id: other.value.id } })).body as { decisions: unknown[] };
    expect(decisions).toEqual([]);
    const state = await platform.test.database.system((db) => db.one<{ state: string }>(sql`select state from platform.approvals where id = ${uuidOf("apr", request.id)}`));
    // What one decision allowed before may have run by now, once.
    expect(world.removed.filter((one) => one === name).length).toBeLessThanOrEqual(["approved", "executed"].includes(state.state) ? 1 : 0);
  });
});
