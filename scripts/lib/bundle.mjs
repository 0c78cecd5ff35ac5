import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Failure } from "./say.mjs";
import { temporalBundle } from "./temporal-bundle.mjs";

/** Output name by source; what does not exist is left out. */
const entries = { main: "src/main.ts", worker: "src/app/worker.ts", workflows: "src/app/workflows-thread.ts" };

/** What Temporal's sandbox runs. The SDK itself stays outside: docs/adr/015-temporal-beside-the-program.md says why. */
const temporal = { source: "src/app/workflows-temporal.ts", target: "temporal-workflows.js" };

/** What our packages ask for and do without: those of pg, and those with which DBOS would log and trace by itself. */
const optional = [
  "pg-native", "winston", "winston-transport", "@opentelemetry/exporter-logs-otlp-proto", "@opentelemetry/context-async-hooks", "@opentelemetry/sdk-trace-base",
];

// Packages in CommonJS call require and read __dirname, which an ES module has not.
const banner = `import { createRequire as qinfraCreateRequire } from "node:module";
import { fileURLToPath as qinfraFileUrl } from "node:url";
import { dirname as qinfraDirname } from "node:path";
var require = qinfraCreateRequire(import.meta.url);
var __filename = qinfraFileUrl(import.meta.url);
var __dirname = qinfraDirname(__filename);`;

/** Read at run time by a package, from beside its own folder: by its place in node_modules, that from which a chunk looks for it. */
const beside = { "@platformatic/wasm-utils/dist/native.wasm": "dist/native.wasm" };

/** Bundles the program into `out`. Shared code lies in chunks, so that the CLI does not load the server. */
export async function bundle(root, out) {
  const resolve = createRequire(join(root, "package.json")).resolve;
  const esbuild = await import(pathToFileURL(resolve("esbuild")).href);
  const entryPoints = Object.fromEntries(Object.entries(entries).filter(([, source]) => existsSync(join(root, source))));
  if (entryPoints.main === undefined) throw new Failure(`${entries.main} is missing: there is nothing to build. Is this a whole checkout?`);
  try {
    await esbuild.build({
      absWorkingDir: root,
      entryPoints,
      outdir: out,
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "node24",
      outExtension: { ".js": ".mjs" },
      chunkNames: "chunks/[name]-[hash]",
      sourcemap: "linked",
      external: [...optional, "@temporalio/*"],
      banner: { js: banner },
      legalComments: "none",
      logLevel: "silent",
    });
    for (const [source, target] of Object.entries(beside)) {
      mkdirSync(dirname(join(out, target)), { recursive: true });
      copyFileSync(join(root, "node_modules", source), join(out, target));
    }
    if (existsSync(join(root, temporal.source))) writeFileSync(join(out, temporal.target), await temporalBundle(root, join(root, temporal.source)));
  } catch (error) {
    if (!Array.isArray(error.errors)) throw error;
    const lines = await esbuild.formatMessages(error.errors, { kind: "error", color: process.stderr.isTTY === true });
    throw new Failure(`The build failed.\n${lines.join("")}`);
  }
}
