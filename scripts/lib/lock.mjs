import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { processToken } from "./processes.mjs";
import { explainFileError, say } from "./say.mjs";

/**
 * Runs `work` while no other process does so under the same path. A lock whose holder is gone is taken over.
 * `what` names the work for the one who waits.
 */
export async function withLock(path, what, work) {
  const mine = processToken(process.pid);
  await acquire(path, mine, what);
  try {
    return await work();
  } finally {
    if (read(path) === mine) rmSync(path, { force: true });
  }
}

async function acquire(path, mine, what) {
  const draft = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(draft, mine);
  } catch (error) {
    throw explainFileError(error, what) ?? error;
  }
  try {
    for (let told = false; ; told = true) {
      if (link(draft, path)) return;
      const holder = read(path);
      if (holder === undefined) continue;
      if (processToken(Number(holder.split("-")[0])) !== holder) {
        takeAway(path, holder);
        continue;
      }
      if (!told) say(`${what}: waiting for process ${holder.split("-")[0]}, which is at it.`);
      await delay(200);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Another process may have taken it over since it was read: then it is put back. */
function takeAway(path, holder) {
  const aside = `${path}.old-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (read(aside) !== holder) link(aside, path);
  rmSync(aside, { force: true });
}

function link(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
