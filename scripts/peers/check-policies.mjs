// Fails where policies/compiled was not made from the sources beside it. Runs on the project's own Node.
import { join } from "node:path";
import { checkPolicyDigests } from "../../src/platform/policy/digests.ts";
import { root } from "../lib/paths.mjs";
import { runScript, say } from "../lib/say.mjs";

await runScript(async () => {
  const problems = await checkPolicyDigests(join(root, "policies"));
  problems.forEach(say);
  return problems.length === 0 ? 0 : 1;
});
