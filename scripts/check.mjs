import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled } from "./lib/install.mjs";
import { compileCache, node24 } from "./lib/node24.mjs";
import { root } from "./lib/paths.mjs";
import { runScript, say, seconds } from "./lib/say.mjs";

const bin = (name) => join(root, "node_modules/.bin", name);

/** What `npm run check` runs, in order: all of them, so that one run shows everything. */
const steps = [
  { title: "types (tsc)", command: () => [node24(), bin("tsc"), "--noEmit", "-p", "."] },
  { title: "rules (oxlint)", command: () => [node24(), bin("oxlint")] },
  { title: "architecture rules (test/arch)", command: () => [node24(), join(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "unit", "test/arch"] },
  { title: "documents and their examples (test/docs)", command: () => [node24(), join(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "docs"] },
  { title: "goldens (openapi.json, asyncapi.json and that events only grew, schema.sql, docs/reference, policies)", command: () => [node24(), "src/main.ts", "goldens", "--check"] },
];

await runScript(async () => {
  await ensureInstalled();
  let failed = 0;
  for (const { title, command } of steps) {
    const began = performance.now();
    const [program, ...args] = command();
    const result = spawnSync(program, args, { cwd: root, env: { ...process.env, ...compileCache() }, encoding: "utf8", timeout: 600_000, maxBuffer: 64 * 1024 * 1024 });
    const right = result.status === 0;
    if (!right) failed += 1;
    say(`${right ? "ok    " : "FAILED"}  ${title}  ${seconds(began)}`);
    if (!right) say(`${result.error?.message ?? ""}${result.stdout ?? ""}${result.stderr ?? ""}`);
  }
  return failed === 0 ? 0 : 1;
});
