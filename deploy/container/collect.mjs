// Puts what the image holds into a folder: [WORKFLOWS=temporal] node deploy/container/collect.mjs FOLDER
import { chmodSync, copyFileSync, cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { node24 } from "../../scripts/lib/node24.mjs";
import { root } from "../../scripts/lib/paths.mjs";
import { temporalPackages } from "./temporal-packages.mjs";

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error("usage: node deploy/container/collect.mjs FOLDER");
const engine = process.env.WORKFLOWS || "dbos";
if (!["dbos", "temporal"].includes(engine)) throw new Error(`WORKFLOWS is dbos or temporal, not ${engine}`);

const app = join(target, "app");
mkdirSync(app, { recursive: true });
copyFileSync(node24(), join(target, "node"));
chmodSync(join(target, "node"), 0o755);
for (const name of ["package.json", "LICENSE", "migrations"]) cpSync(join(root, name), join(app, name), { recursive: true });
// Source maps are for debugging a build, and the Rego sources for compiling it.
cpSync(join(root, "dist"), join(app, "dist"), { recursive: true, filter: (path) => !path.endsWith(".map") && !path.endsWith("build.json") });
cpSync(join(root, "policies"), join(app, "policies"), { recursive: true, filter: (path) => !path.endsWith("_test.rego") });
if (engine === "temporal") for (const path of temporalPackages()) cpSync(join(root, path), join(app, path), { recursive: true, filter: isNeeded });
copyFileSync(join(root, "deploy/container/healthcheck.mjs"), join(app, "healthcheck.mjs"));
mkdirSync(join(target, "data"), { mode: 0o711 });

/** Of the SDK's native part that of this machine only, and of a package what Node runs; packages below have their own turn. */
function isNeeded(path) {
  const { arch, platform } = process;
  const [, release] = /core-bridge\/releases\/([^/]+)/.exec(path) ?? [];
  if (release !== undefined) return release === `${arch === "x64" ? "x86_64" : "aarch64"}-${platform === "darwin" ? "apple-darwin" : "unknown-linux-gnu"}`;
  return !/\.(map|d\.ts|d\.mts|d\.cts)$|\/core-bridge\/(src|sdk-core|tests)$|\/@temporalio\/[a-z-]+\/src$/.test(path);
}
