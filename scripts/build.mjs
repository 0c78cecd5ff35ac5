import { ensureBuilt } from "./lib/build.mjs";
import { ensureInstalled } from "./lib/install.mjs";
import { runScript } from "./lib/say.mjs";

await runScript(async () => {
  await ensureInstalled();
  await ensureBuilt();
});
