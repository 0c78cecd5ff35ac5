import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadPolicy } from "@open-policy-agent/opa-wasm";
import { isPlanDecision, isRequestDecision } from "./decisions.ts";
import { readManifest, sha256 } from "./digests.ts";
import { whatItNames } from "./input.ts";
import type { PolicyEngine } from "./types.ts";

const REQUEST = "qinfra/request/result";
const PLAN = "qinfra/plan/result";

/** Pages of 64 KiB: 1 MiB to begin with, 16 MiB at most. An evaluation that wants more fails, and so denies. */
const memory = { initial: 16, maximum: 256 };

const unavailable = "policy-unavailable";

/**
 * Loads `dir`/compiled/policy.wasm. Rejects, so that the server does not start, where it is missing, is not the one
 * that its manifest names, or lacks one of the two decisions.
 */
export async function loadPolicies(dir: string): Promise<PolicyEngine> {
  const path = join(dir, "compiled/policy.wasm");
  const manifest = await readManifest(dir);
  const wasm = await readFile(path);
  if (sha256(wasm) !== manifest.wasm) throw new Error(`${path} is not the file that its manifest names: restore both from one release`);
  return createPolicyEngine(wasm);
}

/** The engine of a compiled bundle, given as its WebAssembly. */
export async function createPolicyEngine(wasm: Uint8Array<ArrayBuffer>): Promise<PolicyEngine> {
  const policy = await loadPolicy(wasm, { ...memory });
  const entrypoints = policy.entrypoints as Record<string, number>;
  for (const name of [REQUEST, PLAN]) {
    if (!(name in entrypoints)) throw new Error(`the compiled policies have no entrypoint ${name}`);
  }
  return policyEngine((input, entrypoint) => policy.evaluate(input, entrypoint));
}

/** The engine over any evaluator that answers as opa does: a list of `{ result }`, empty when undefined. */
export function policyEngine(evaluate: (input: unknown, entrypoint: string) => unknown): PolicyEngine {
  function resultOf(input: unknown, entrypoint: string): unknown {
    try {
      const answer = evaluate(input, entrypoint);
      return Array.isArray(answer) && answer.length === 1 ? (answer[0] as { result?: unknown }).result : undefined;
    } catch {
      return undefined;
    }
  }
  return {
    decideRequest(input) {
      const result = resultOf({ ...input, input: whatItNames(input.input) }, REQUEST);
      return isRequestDecision(result) ? result : { allow: false, reasons: [unavailable] };
    },
    decidePlan(input) {
      const result = resultOf({ ...input, input: whatItNames(input.input), plan: whatItNames(input.plan) }, PLAN);
      return isPlanDecision(result) ? result : { decision: "deny", reasons: [unavailable], approvers: [], excluded: [] };
    },
  };
}
