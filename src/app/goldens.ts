import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { toAsyncApi } from "../platform/events/asyncapi.ts";
import { createRegistry } from "../platform/operation/registry.ts";
import { toManifest } from "../surfaces/cli/manifest.ts";
import { toOpenApi } from "../surfaces/http/openapi.ts";
import { checkPolicyDigests } from "../platform/policy/index.ts";
import { asyncApiPath, brokenEvents } from "./event-goldens.ts";
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
  return [
    { path: "openapi.json", text: textOf(toOpenApi(registry, version())) },
    { path: asyncApiPath, text: textOf(toAsyncApi(registry.events, version())) },
    ...referenceDocs(registry),
  ];
}

function textOf(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Those, and the schema that the migrations make. */
async function allGoldens(): Promise<Golden[]> {
  return [...goldens(), { path: "schema.sql", text: await migratedSchema() }];
}

/**
 * `--manifest FILE` writes the operations for the CLI (a build does that), `--write` brings the goldens up to date,
 * `--check` says which differ. Neither takes a change of events that breaks their readers; `--write --replace-event TYPE`
 * takes one of a type that no release has.
 */
export async function runGoldens(args: readonly string[]): Promise<number> {
  const [mode, file] = args;
  if (mode === "--manifest" && file !== undefined) {
    await writeFile(file, JSON.stringify(toManifest(createRegistry(modules))));
    return 0;
  }
  const replace = args.flatMap((argument, i) => (args[i - 1] === "--replace-event" ? [argument] : []));
  const faults = await brokenEvents(packageRoot(), goldens().find(({ path }) => path === asyncApiPath)?.text ?? "{}", replace);
  if (mode === "--write") {
    if (faults.length > 0) return tell([...faults, "Nothing was written. A type that no release has yet may be replaced: goldens --write --replace-event TYPE"]);
    for (const { path, text } of await allGoldens()) {
      await mkdir(dirname(join(packageRoot(), path)), { recursive: true });
      await writeFile(join(packageRoot(), path), text);
    }
    return 0;
  }
  for (const { path, text } of await allGoldens()) {
    const stored = await readFile(join(packageRoot(), path), "utf8").catch(() => "");
    if (stored !== text) faults.push(`${path} is not what operations and migrations make; look at the difference that qinfra goldens --write makes, and commit it with its reason`);
  }
  for (const fault of await checkPolicyDigests(join(packageRoot(), "policies"))) faults.push(fault);
  return tell(faults);
}

function tell(faults: readonly string[]): number {
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  return faults.length === 0 ? 0 : 1;
}
