import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterBuild } from "./after-build.mjs";
import { bundle } from "./bundle.mjs";
import freshness from "./freshness.cjs";
import { withLock } from "./lock.mjs";
import { node24 } from "./node24.mjs";
import { localFolder, root } from "./paths.mjs";
import { explainFileError, Failure, say, seconds } from "./say.mjs";

const dist = join(root, "dist");

/** Makes dist what the sources say, where it is not. Needs installed packages. */
export async function ensureBuilt() {
  if (freshness.isFresh(root)) return;
  await withLock(join(localFolder, "build.lock"), "Building", async () => {
    if (freshness.isFresh(root)) return;
    const stamps = freshness.sourceStamps(root);
    const hash = contentHash(Object.keys(stamps));
    try {
      // A new checkout or a touched file changes times only.
      if (freshness.readBuild(root)?.hash !== hash) await build();
      writeWhole(join(dist, "build.json"), JSON.stringify({ hash, stamps }));
    } catch (error) {
      throw explainFileError(error, "Building") ?? error;
    }
  });
}

function contentHash(paths) {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(`${path}\0`).update(readFileSync(join(root, path))).update("\0");
  return hash.digest("hex");
}

async function build() {
  const began = performance.now();
  const staging = join(dist, ".staging");
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    await bundle(root, staging);
    finish(staging);
    rmSync(join(dist, "build.json"), { force: true });
    publish(staging);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  say(`Built in ${seconds(began)}.`);
}

function finish(staging) {
  for (const step of afterBuild) {
    const result = spawnSync(node24(), [join(staging, "main.mjs"), ...step.args(staging)], { cwd: root, encoding: "utf8", timeout: 60_000 });
    if (result.status !== 0) throw new Failure(`The build failed at "${step.title}" (${result.signal ?? result.error?.message ?? `exit code ${result.status}`}).\n${result.stderr ?? ""}`);
  }
}

/**
 * File by file, chunks first: their names hold their hash, so a server that runs on the old build still finds its own.
 * Without build.json a build is not used, and that comes last.
 */
function publish(staging) {
  const files = readdirSync(staging, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(staging.length + 1));
  const chunks = files.filter((path) => path.startsWith("chunks/"));
  for (const path of [...chunks, ...files.filter((each) => !chunks.includes(each))]) {
    mkdirSync(dirname(join(dist, path)), { recursive: true });
    renameSync(join(staging, path), join(dist, path));
  }
  removeOldChunks(new Set(chunks));
}

/** A day later hardly anything still runs on them. */
function removeOldChunks(current) {
  const folder = join(dist, "chunks");
  const dayAgo = Date.now() - 86_400_000;
  let names = [];
  try {
    names = readdirSync(folder);
  } catch {
    return;
  }
  for (const name of names) if (!current.has(`chunks/${name}`) && statSync(join(folder, name)).mtimeMs < dayAgo) rmSync(join(folder, name), { force: true });
}

function writeWhole(path, text) {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
