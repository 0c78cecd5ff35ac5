import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ensureInstalled } from "./lib/install.mjs";
import { compileCache, node24 } from "./lib/node24.mjs";
import { root } from "./lib/paths.mjs";
import { run } from "./lib/processes.mjs";
import { runScript, say } from "./lib/say.mjs";

/** Suites of their own, by the argument that asks for them. */
const configs = { "--real": "test/real/vitest.config.ts", "--chaos": "test/chaos/vitest.config.ts", "--fuzz": "test/fuzz/vitest.config.ts" };

await runScript(async (args) => {
  await ensureInstalled();
  const config = Object.entries(configs).find(([name]) => args.includes(name))?.[1];
  const reports = mkdtempSync(join(tmpdir(), "qinfra-test-"));
  try {
    const report = join(reports, "report.json");
    const which = config !== undefined ? ["--config", config] : ["--project", "unit", "--project", "integration"];
    const output = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const code = await run(node24(), ["node_modules/vitest/vitest.mjs", "run", ...which, ...output, ...args.filter((each) => !(each in configs))], { cwd: root, env: { ...process.env, ...compileCache() } });
    return Math.max(code, summarise(report));
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
});

/** Prints the skipped tests and the totals; returns 1 where anything failed. */
function summarise(path) {
  if (!existsSync(path)) {
    say("The tests ended without a report.");
    return 1;
  }
  const files = JSON.parse(readFileSync(path, "utf8")).testResults;
  const tests = files.flatMap((file) => file.assertionResults.map((test) => ({ file: relative(root, file.name), name: test.fullName, status: test.status })));
  const passed = tests.filter((test) => test.status === "passed");
  const skipped = tests.filter((test) => test.status !== "passed" && test.status !== "failed");
  // A file that cannot be loaded has no test that failed.
  const broken = files.filter((file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"));
  const failed = tests.length - passed.length - skipped.length + broken.length;
  if (skipped.length > 0) console.log("Skipped:");
  for (const test of skipped) console.log(`  ${test.file}: ${test.name}`);
  console.log(`${passed.length} passed, ${failed} failed, ${skipped.length} skipped`);
  return failed > 0 ? 1 : 0;
}
