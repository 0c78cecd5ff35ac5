import { execFile, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";
import { loadPolicies } from "../../src/platform/policy/index.ts";
import type { PlanInput, PolicyActor, PolicyEngine } from "../../src/platform/policy/index.ts";
import { describeWith, program } from "./support/peer.ts";
import { temporaryFolder } from "./support/process.ts";

const exec = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const policies = resolve(root, "policies");

describeWith(["opa"], "policies under opa", () => {
  const opa = (...args: string[]) => exec(program("opa"), args, { cwd: root, timeout: 30_000, maxBuffer: 16 << 20 });

  it("given the policies, then they are strict and formatted", async () => {
    await opa("check", "--strict", policies);
    expect((await opa("fmt", "--list", policies)).stdout).toBe("");
  });

  it("given their tests, then all pass and every rule is covered", async () => {
    const { stdout } = await opa("test", policies, "--coverage", "--format=json", "--threshold=100");
    expect((JSON.parse(stdout) as { coverage: number }).coverage).toBe(100);
    const results = JSON.parse((await opa("test", policies, "--format=json")).stdout) as { name: string; fail?: boolean; error?: unknown }[];
    expect(results.filter(({ fail, error }) => fail === true || error !== undefined)).toEqual([]);
    expect(results.length).toBeGreaterThan(30);
  });

  it("given the sources, then compiling them anew gives the files of the repository", async () => {
    const folder = await temporaryFolder("policies");
    try {
      await exec(process.execPath, [resolve(root, "scripts/peers/compile-policies.mjs"), folder.path], { timeout: 60_000 });
      for (const name of ["manifest.json", "policy.wasm"]) {
        const made = await readFile(resolve(folder.path, name));
        const committed = await readFile(resolve(policies, "compiled", name));
        expect(made.equals(committed), name).toBe(true);
      }
    } finally {
      await folder.remove();
    }
  });
});

/** Every mix of what the rules look at, so that the interpreter and the compiled module are held against each other. */
function inputs(): PlanInput[] {
  const actors: PolicyActor[] = [
    { kind: "anonymous", ai: false, secondFactor: false, roles: [], permissions: [], platform: false },
    { kind: "user", id: "u1", ai: false, secondFactor: false, roles: ["operator"], permissions: ["images:*", "members:write"], orgId: "o1", platform: false },
    { kind: "user", id: "u2", ai: false, secondFactor: true, roles: ["admin"], permissions: ["platform:feeds"], orgId: "o1", platform: true },
    { kind: "api-key", id: "k1", actsFor: "u1", ai: true, secondFactor: false, roles: ["admin"], permissions: ["images:write", "members:write", "platform:*"], orgId: "o1", platform: true },
  ];
  const permissions = ["public", "self", "images:write", "members:write", "platform:feeds"];
  const orgs = [null, { id: "o1", settings: {} }, { id: "o2", settings: {} }, { id: "o1", settings: { readOnly: true, requireApproval: ["x.y"] } }, { id: "o1", settings: { readOnly: "?" } }, { id: "o1", settings: { secondFactor: { roles: ["operator", "admin"] } } }];
  const mixes: PlanInput[] = [];
  for (const actor of actors)
    for (const permission of permissions)
      for (const effect of ["read", "change", "destructive"] as const)
        for (const org of orgs) mixes.push({ operation: { id: "x.y", effect, permission }, actor, org, input: {}, plan: {}, time: "2026-11-21T12:00:00Z", door: "http" });
  return mixes;
}

describeWith(["opa"], "compiled policies against opa's own interpreter", () => {
  let engine: PolicyEngine;
  const interpreted = { request: [] as unknown[], plan: [] as unknown[] };

  beforeAll(async () => {
    engine = await loadPolicies(policies);
    // One evaluation of a comprehension over all inputs instead of hundreds of processes.
    const query = (name: string) => `[decision | some one in input.all; decision := data.qinfra.${name}.result with input as one]`;
    for (const name of ["request", "plan"] as const) {
      const run = spawnSync(program("opa"), ["eval", "--stdin-input", "--format=json", "-d", policies, query(name)], {
        input: JSON.stringify({ all: inputs() }),
        encoding: "utf8",
        timeout: 60_000,
        maxBuffer: 16 << 20,
      });
      const answer = JSON.parse(run.stdout) as { result: { expressions: { value: unknown[] }[] }[] };
      interpreted[name] = answer.result[0]?.expressions[0]?.value ?? [];
    }
  });

  it("given every mix of what the rules look at, then both give the same decision on the request", () => {
    expect(inputs().map((input) => engine.decideRequest(input))).toEqual(interpreted.request);
  });

  it("given every mix of what the rules look at, then both give the same decision on the plan", () => {
    expect(inputs().map((input) => engine.decidePlan(input))).toEqual(interpreted.plan);
    expect(new Set(interpreted.plan.map((decision) => (decision as { decision: string }).decision))).toEqual(new Set(["allow", "deny", "approve"]));
  });
});
