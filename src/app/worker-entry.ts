import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "./root.ts";

const bundled = (): boolean => relative(packageRoot(), import.meta.dirname).split(sep)[0] === "dist";

/** Programs of threads: the bundle's where this is bundled, else the source. */
function entry(bundle: string, source: string): URL {
  return pathToFileURL(join(packageRoot(), bundled() ? `dist/${bundle}` : `src/app/${source}`));
}

/** Computes what would hold up the event loop. */
export function workerEntry(): URL {
  return entry("worker.mjs", "worker.ts");
}

/** Runs workflows. */
export function workflowsEntry(): URL {
  return entry("workflows.mjs", "workflows-thread.ts");
}

/** What Temporal's sandbox runs: as the build made it, or made of the sources. */
export async function temporalBundle(): Promise<{ code: string } | { path: string }> {
  if (bundled()) return { path: join(packageRoot(), "dist/temporal-workflows.js") };
  const { bundleForTemporal } = await import("../platform/workflow/engines/temporal/bundle.ts");
  return bundleForTemporal(join(packageRoot(), "src/app/workflows-temporal.ts"));
}
