import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "./root.ts";

/** The worker's program: the bundle's where this is bundled, else the source. */
export function workerEntry(): URL {
  const bundled = relative(packageRoot(), import.meta.dirname).split(sep)[0] === "dist";
  return pathToFileURL(join(packageRoot(), bundled ? "dist/worker.mjs" : "src/app/worker.ts"));
}
