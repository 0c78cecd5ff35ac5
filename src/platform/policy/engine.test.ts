import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { loadPolicies, policyEngine } from "./engine.ts";
import type { PlanInput, PolicyActor, RequestInput } from "./types.ts";

const engine = await loadPolicies(resolve(import.meta.dirname, "../../../policies"));

const operator: PolicyActor = {
  kind: "user",
  id: "u1",
  ai: false,
  secondFactor: false,
  roles: ["operator"],
  permissions: ["images:*", "assets:read", "members:write"],
  orgId: "o1",
  platform: false,
};
const agent: PolicyActor = { ...operator, kind: "api-key", id: "k1", actsFor: "u1", ai: true };
const platformAdmin: PolicyActor = { ...operator, permissions: ["platform:feeds"], platform: true };
const anonymous: PolicyActor = { kind: "anonymous", ai: false, secondFactor: false, roles: [], permissions: [], platform: false };

const read = { id: "images.list", effect: "read", permission: "images:read" } as const;
const create = { id: "images.create", effect: "change", permission: "images:write" } as const;
const remove = { id: "images.delete", effect: "destructive", permission: "images:write" } as const;
const invite = { id: "organizations.add-member", effect: "change", permission: "members:write" } as const;
const feeds = { id: "vulnerabilities.import-feed", effect: "change", permission: "platform:feeds" } as const;
const signIn = { id: "sessions.create", effect: "change", permission: "public" } as const;

function request(operation: RequestInput["operation"], actor: PolicyActor, settings: Record<string, unknown> = {}): PlanInput {
  return { operation, actor, org: { id: "o1", settings }, input: { id: "img_1" }, plan: {}, time: "2026-11-21T12:00:00Z", door: "http" };
}

describe("decideRequest", () => {
  it.each([
    ["a permission by wildcard", request(read, operator), []],
    ["a missing permission", request(read, { ...operator, permissions: ["assets:*"] }), ["permission-missing"]],
    ["another organization", { ...request(read, operator), org: { id: "o2", settings: {} } }, ["other-organization", "permission-missing"]],
    ["an anonymous caller", request(read, anonymous), ["sign-in-required"]],
    ["an anonymous sign-in", { ...request(signIn, anonymous), org: null }, []],
    ["the platform's own data by its member", request(feeds, platformAdmin), []],
    ["the platform's own data by another member", request(feeds, { ...platformAdmin, platform: false }), ["platform-only"]],
    ["the platform's own data by an agent", request(feeds, { ...platformAdmin, ai: true }), ["ai-platform-permission"]],
    ["a member added by an agent", request(invite, agent), ["ai-identity-permission"]],
    ["a member added by a person", request(invite, operator), []],
    ["a change in a read-only organization", request(create, operator, { readOnly: true }), ["organization-read-only"]],
    ["a read in a read-only organization", request(read, operator, { readOnly: true }), []],
    ["settings that cannot be judged", request(read, operator, { readOnly: "no" }), ["malformed-input"]],
    ["a required second factor that is missing", request(read, operator, { secondFactor: { roles: ["admin", "operator"] } }), ["second-factor-required"]],
    ["a required second factor that was given", request(read, { ...operator, secondFactor: true }, { secondFactor: { roles: ["operator"] } }), []],
    ["a second factor that is required of others", request(read, operator, { secondFactor: { roles: ["admin"] } }), []],
  ])("given %s, then the reasons to refuse are as listed", (_case, input, reasons) => {
    expect(engine.decideRequest(input)).toEqual({ allow: reasons.length === 0, reasons });
  });

  it("given an uploaded document in the input, then it is decided without copying it", () => {
    const input = { ...request(read, operator), input: { id: "img_1", document: "x".repeat(64 << 20) } };
    expect(engine.decideRequest(input)).toEqual({ allow: true, reasons: [] });
    expect(engine.decidePlan({ ...input, plan: input.input }).decision).toBe("allow");
  });
});

describe("decidePlan", () => {
  const byAdmin = [{ role: "admin", count: 1 }];
  it.each([
    ["a change by a person", request(create, operator), "allow", [], [], []],
    ["a deletion by a person", request(remove, operator), "allow", [], [], []],
    ["a change by an agent", request(create, agent), "allow", [], [], []],
    ["a deletion by an agent", request(remove, agent), "approve", ["destructive-by-ai"], byAdmin, ["k1", "u1"]],
    [
      "an operation that the organization guards",
      request(create, operator, { requireApproval: ["images.create"] }),
      "approve",
      ["approval-required-by-organization"],
      byAdmin,
      ["u1"],
    ],
    ["settings that cannot be judged", request(create, operator, { requireApproval: "all" }), "deny", ["malformed-input"], [], []],
  ])("given %s, then it is decided as listed", (_case, input, decision, reasons, approvers, excluded) => {
    expect(engine.decidePlan(input)).toEqual({ decision, reasons, approvers, excluded });
  });
});

describe("a policy that cannot be evaluated", () => {
  const evaluators: [string, () => unknown][] = [
    ["throws", () => { throw new Error("opa_abort: out of memory"); }],
    ["is undefined for the input", () => []],
    ["answers no list", () => undefined],
    ["answers another shape", () => [{ result: { allow: "yes", decision: "yes", reasons: [], approvers: [], excluded: [] } }]],
    ["asks for the approval of nobody", () => [{ result: { decision: "approve", reasons: [], approvers: [], excluded: [] } }]],
  ];

  it.each(evaluators)("given one that %s, then both decisions deny", (_case, evaluate) => {
    const broken = policyEngine(evaluate);
    expect(broken.decideRequest(request(read, operator))).toEqual({ allow: false, reasons: ["policy-unavailable"] });
    expect(broken.decidePlan(request(read, operator))).toEqual({
      decision: "deny",
      reasons: ["policy-unavailable"],
      approvers: [],
      excluded: [],
    });
  });

  it("given an input beyond the memory of the evaluation, then it denies and the next decision is right", () => {
    const permissions = Array.from({ length: 400_000 }, (_, index) => `images:read-${index}`);
    const huge = request(read, { ...operator, permissions });
    expect(engine.decideRequest(huge)).toEqual({ allow: false, reasons: ["policy-unavailable"] });
    expect(engine.decideRequest(request(read, operator))).toEqual({ allow: true, reasons: [] });
  });
});
