import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "./root.ts";

/** The worker's program: beside the bundle where this is bundled, else the source. */
export function workerEntry(): URL {
  const bundled = join(import.meta.dirname, "worker.mjs");
  return pathToFileURL(existsSync(bundled) ? bundled : join(packageRoot(), "src/app/worker.ts"));
}
