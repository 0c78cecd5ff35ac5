import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createRegistry } from "../platform/operation/registry.ts";
import { toManifest } from "../surfaces/cli/manifest.ts";
import { toOpenApi } from "../surfaces/http/openapi.ts";
import { checkPolicyDigests } from "../platform/policy/index.ts";
import { modules } from "./modules.ts";
import { referenceDocs } from "./reference-docs.ts";
import { packageRoot, version } from "./root.ts";
import { migratedSchema } from "./schema-golden.ts";

interface Golden {
  /** From the root of the repository. */
  path: string;
  text: string;
}

/** Files that are derived from the operations and kept in the repository, so that a change to them is seen. */
export function goldens(): Golden[] {
  const registry = createRegistry(modules);
  return [{ path: "openapi.json", text: `${JSON.stringify(toOpenApi(registry, version()), null, 2)}\n` }, ...referenceDocs(registry)];
}

/** Those, and the schema that the migrations make. */
async function allGoldens(): Promise<Golden[]> {
  return [...goldens(), { path: "schema.sql", text: await migratedSchema() }];
}

/**
 * `--manifest FILE` writes the operations for the CLI (a build does that), `--write` brings the goldens up to date,
 * `--check` says which differ.
 */
export async function runGoldens(args: readonly string[]): Promise<number> {
  const [mode, file] = args;
  if (mode === "--manifest" && file !== undefined) {
    await writeFile(file, JSON.stringify(toManifest(createRegistry(modules))));
    return 0;
  }
  if (mode === "--write") {
    for (const { path, text } of await allGoldens()) {
      await mkdir(dirname(join(packageRoot(), path)), { recursive: true });
      await writeFile(join(packageRoot(), path), text);
    }
    return 0;
  }
  const faults: string[] = [];
  for (const { path, text } of await allGoldens()) {
    const stored = await readFile(join(packageRoot(), path), "utf8").catch(() => "");
    if (stored !== text) faults.push(`${path} is not what operations and migrations make; look at the difference that qinfra goldens --write makes, and commit it with its reason`);
  }
  for (const fault of await checkPolicyDigests(join(packageRoot(), "policies"))) faults.push(fault);
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  return faults.length === 0 ? 0 : 1;
}
