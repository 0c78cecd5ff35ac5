import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "./root.ts";

/** Programs of threads: the bundle's where this is bundled, else the source. */
function entry(bundle: string, source: string): URL {
  const bundled = relative(packageRoot(), import.meta.dirname).split(sep)[0] === "dist";
  return pathToFileURL(join(packageRoot(), bundled ? `dist/${bundle}` : `src/app/${source}`));
}

/** Computes what would hold up the event loop. */
export function workerEntry(): URL {
  return entry("worker.mjs", "worker.ts");
}

/** Runs workflows. */
export function workflowsEntry(): URL {
  return entry("workflows.mjs", "workflows-thread.ts");
}
