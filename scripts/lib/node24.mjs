import { join } from "node:path";
import common from "./node24.cjs";
import { root } from "./paths.mjs";
import { Failure } from "./say.mjs";

/** Path of the Node that runs the platform. */
export function node24() {
  const found = common.findNode24(root);
  if (found === undefined) throw new Failure(common.noNode24());
  return found;
}

/** Has Node keep what it compiled of our TypeScript, so that the next of many processes need not. */
export function compileCache() {
  return { NODE_COMPILE_CACHE: join(root, "node_modules/.cache/node-compile") };
}
