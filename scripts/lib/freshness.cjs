"use strict";
// CommonJS, because bin/qinfra asks this at each start and should not wait for an import.
const { existsSync, readdirSync, readFileSync, statSync } = require("node:fs");
const { join } = require("node:path");

/** What a bundle is made of, beside the packages that package-lock.json names. */
const inputs = ["src", "package.json", "package-lock.json", "scripts/lib/bundle.mjs", "scripts/lib/temporal-bundle.mjs", "scripts/lib/after-build.mjs"];

/** Size and time of each source by its path in the checkout. */
function sourceStamps(root) {
  const stamps = {};
  const visit = (path) => {
    const full = join(root, path);
    const stat = statSync(full, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (!stat.isDirectory()) {
      stamps[path] = `${stat.size}:${stat.mtimeMs}`;
      return;
    }
    for (const name of readdirSync(full).sort()) if (!name.includes(".test.")) visit(`${path}/${name}`);
  };
  for (const path of inputs) visit(path);
  return stamps;
}

/** `dist/build.json`, written last by a build: { hash, stamps }. */
function readBuild(root) {
  try {
    return JSON.parse(readFileSync(join(root, "dist", "build.json"), "utf8"));
  } catch {
    return undefined;
  }
}

function isFresh(root) {
  const build = readBuild(root);
  if (build === undefined || !existsSync(join(root, "dist", "main.mjs"))) return false;
  return JSON.stringify(build.stamps) === JSON.stringify(sourceStamps(root));
}

module.exports = { isFresh, readBuild, sourceStamps };
