import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkPolicyDigests } from "./digests.ts";
import { loadPolicies } from "./engine.ts";

const policies = resolve(import.meta.dirname, "../../../policies");
let copy: string;

beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), "qinfra-policies-"));
  await cp(policies, copy, { recursive: true });
});

afterEach(() => rm(copy, { recursive: true, force: true }));

it("given the policies of the repository, then sources and WebAssembly agree", async () => {
  expect(await checkPolicyDigests(policies)).toEqual([]);
});

it.each([
  ["an edited source", () => writeFile(join(copy, "plan.rego"), "package qinfra.plan"), "policies/plan.rego differs from what was compiled"],
  ["a new source", () => writeFile(join(copy, "new.rego"), "package new"), "policies/new.rego is not among the compiled policies"],
  ["a removed source", () => rm(join(copy, "common.rego")), "policies/common.rego was compiled and is gone"],
  ["another WebAssembly", () => writeFile(join(copy, "compiled/policy.wasm"), "\0asm"), "policy.wasm is not what its manifest names"],
  ["a broken manifest", () => writeFile(join(copy, "compiled/manifest.json"), "{"), "manifest.json cannot be read"],
  ["no manifest", () => rm(join(copy, "compiled"), { recursive: true }), "manifest.json cannot be read"],
])("given %s, then the check names it and what to do", async (_case, change, problem) => {
  await change();
  const problems = await checkPolicyDigests(copy);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(problem);
  expect(problems[0]).toContain("compile-policies.mjs");
});

it("given a changed test of the policies, then they still agree", async () => {
  await writeFile(join(copy, "plan_test.rego"), "package qinfra.plan_test");
  expect(await checkPolicyDigests(copy)).toEqual([]);
});

it("given another WebAssembly than the manifest names, then loading is refused", async () => {
  await writeFile(join(copy, "compiled/policy.wasm"), "\0asm");
  await expect(loadPolicies(copy)).rejects.toThrow("is not the file that its manifest names");
});
