import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

interface Bundler {
  temporalBundle(root: string, entry: string): Promise<string>;
}

/**
 * The code that Temporal's sandbox runs, for a program that runs from its sources; a build makes it beforehand.
 * @param entry - Path of a module that exports `temporalWorkflow(...)` under `workflowType`.
 */
export async function bundleForTemporal(entry: string): Promise<{ code: string }> {
  const root = dirname(findPackageJSON(pathToFileURL(entry)) ?? "");
  const { temporalBundle } = (await import(pathToFileURL(join(root, "scripts/lib/temporal-bundle.mjs")).href)) as Bundler;
  try {
    return { code: await temporalBundle(root, entry) };
  } catch (error) {
    throw new Error(`The bundle of the workflows could not be made: ${(error as Error).message}`, { cause: error });
  }
}
