import { access, rm, writeFile } from "node:fs/promises";
import { findProgram, run } from "./run.mjs";

const POLICY = "/usr/sbin/policy-rc.d";
const QUIET = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };

let updated;
let queue = Promise.resolve();

/**
 * Finds `programs` ({ name: candidates }) and, where one is missing, installs `packages` with apt-get. Nothing that
 * is installed gets started. Resolves with { name: path }; rejects with what is missing and why it was not installed.
 */
export async function fromDebian(packages, programs) {
  const before = await findAll(programs);
  if (before.missing.length === 0) return before.found;
  const lacks = `${before.missing.join(", ")} not found`;
  if (process.getuid?.() !== 0) throw new Error(`${lacks}; only root can install ${packages.join(" ")}`);
  if (!(await findProgram("apt-get"))) throw new Error(`${lacks}, and there is no apt-get to install ${packages.join(" ")}`);
  // apt-get holds a lock: one at a time.
  const installed = queue.then(() => install(packages));
  queue = installed.catch(() => undefined);
  await installed;
  const after = await findAll(programs);
  if (after.missing.length > 0) throw new Error(`${after.missing.join(", ")} not found after installing ${packages.join(" ")}`);
  return after.found;
}

async function findAll(programs) {
  const found = {};
  const missing = [];
  for (const [name, candidates] of Object.entries(programs)) {
    const path = await findProgram(...candidates);
    if (path) found[name] = path;
    else missing.push(name);
  }
  return { found, missing };
}

async function install(packages) {
  updated ??= run("apt-get", ["update", "-q"], { env: QUIET, minutes: 5 });
  await updated;
  const letStart = await forbidStarts();
  try {
    await run("apt-get", ["install", "-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", ...packages], {
      env: QUIET,
      minutes: 15,
    });
  } finally {
    await letStart();
  }
}

/** Debian starts a service on installation unless this file says no; one that is there already is the machine's own. */
async function forbidStarts() {
  try {
    await access(POLICY);
    return async () => {};
  } catch {
    await writeFile(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
    return () => rm(POLICY, { force: true });
  }
}
