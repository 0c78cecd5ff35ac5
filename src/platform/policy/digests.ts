import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** What the compiler says of its result, beside it: SHA-256 in hex of each source and of the WebAssembly. */
export interface PolicyManifest {
  opa: string;
  entrypoints: readonly string[];
  sources: Readonly<Record<string, string>>;
  wasm: string;
}

const AGAIN = "compile them again with `node scripts/peers/compile-policies.mjs`";

/**
 * Whether the compiled policies in `dir`/compiled were made from the sources in `dir`. Resolves with one sentence
 * for each difference, none when they agree.
 */
export async function checkPolicyDigests(dir: string): Promise<string[]> {
  let manifest: PolicyManifest;
  try {
    manifest = await readManifest(dir);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
  const problems: string[] = [];
  const sources = (await readdir(dir)).filter((name) => name.endsWith(".rego") && !name.endsWith("_test.rego"));
  for (const name of sources.toSorted()) {
    const recorded = manifest.sources[name];
    if (recorded === undefined) problems.push(`policies/${name} is not among the compiled policies: ${AGAIN}`);
    else if (recorded !== (await sha256File(join(dir, name)))) problems.push(`policies/${name} differs from what was compiled: ${AGAIN}`);
  }
  for (const name of Object.keys(manifest.sources)) {
    if (!sources.includes(name)) problems.push(`policies/${name} was compiled and is gone: ${AGAIN}`);
  }
  const wasm = await sha256File(join(dir, "compiled/policy.wasm")).catch(() => undefined);
  if (wasm !== manifest.wasm) problems.push(`policies/compiled/policy.wasm is not what its manifest names: ${AGAIN}`);
  return problems;
}

/** Rejects with the path and the reason where the manifest is missing or not one. */
export async function readManifest(dir: string): Promise<PolicyManifest> {
  const path = join(dir, "compiled/manifest.json");
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new Error(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}; ${AGAIN}`, { cause: error });
  }
  if (!isManifest(value)) throw new Error(`${path} is not a manifest of compiled policies; ${AGAIN}`);
  return value;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function sha256File(path: string): Promise<string> {
  return sha256(await readFile(path));
}

function isManifest(value: unknown): value is PolicyManifest {
  if (typeof value !== "object" || value === null) return false;
  const { opa, entrypoints, sources, wasm } = value as Record<string, unknown>;
  return typeof opa === "string" && typeof wasm === "string" && Array.isArray(entrypoints) && typeof sources === "object" && sources !== null;
}
