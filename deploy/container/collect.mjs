// Puts what the image holds into a folder: node deploy/container/collect.mjs FOLDER
import { chmodSync, copyFileSync, cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { node24 } from "../../scripts/lib/node24.mjs";
import { root } from "../../scripts/lib/paths.mjs";

const [target] = process.argv.slice(2);
if (target === undefined) throw new Error("usage: node deploy/container/collect.mjs FOLDER");

const app = join(target, "app");
mkdirSync(app, { recursive: true });
copyFileSync(node24(), join(target, "node"));
chmodSync(join(target, "node"), 0o755);
for (const name of ["package.json", "LICENSE", "migrations"]) cpSync(join(root, name), join(app, name), { recursive: true });
// Source maps are for debugging a build, and the Rego sources for compiling it.
cpSync(join(root, "dist"), join(app, "dist"), { recursive: true, filter: (path) => !path.endsWith(".map") && !path.endsWith("build.json") });
cpSync(join(root, "policies"), join(app, "policies"), { recursive: true, filter: (path) => !path.endsWith("_test.rego") });
copyFileSync(join(root, "deploy/container/healthcheck.mjs"), join(app, "healthcheck.mjs"));
mkdirSync(join(target, "data"), { mode: 0o711 });
