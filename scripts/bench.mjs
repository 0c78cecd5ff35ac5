import { join } from "node:path";
import { ensureBuilt } from "./lib/build.mjs";
import { ensureInstalled } from "./lib/install.mjs";
import { node24 } from "./lib/node24.mjs";
import { root } from "./lib/paths.mjs";
import { run } from "./lib/processes.mjs";
import { runScript } from "./lib/say.mjs";

await runScript(async (args) => {
  await ensureInstalled();
  await ensureBuilt();
  return run(node24(), [join(root, "bench/run.ts"), ...args], { cwd: root });
});
