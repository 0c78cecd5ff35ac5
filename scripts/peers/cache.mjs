import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { isExecutable } from "./run.mjs";

/** Written last, so that a folder without it is an unfinished installation. */
const INSTALLED = "peer.json";
const UNAVAILABLE = "unavailable.json";

/** The folder that holds the peers, one folder each: `<name>-<version>`. */
export function cacheFolder(env = process.env) {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "qinfra-peers");
}

export function folderOf(peer) {
  return join(cacheFolder(), `${peer.name}-${peer.version}`);
}

/** The record of an installed peer whose programs are all still there, or undefined. */
export async function installedRecord(peer) {
  try {
    const record = JSON.parse(await readFile(join(folderOf(peer), INSTALLED), "utf8"));
    const there = await Promise.all(Object.values(record.programs).map(isExecutable));
    return there.every(Boolean) ? record : undefined;
  } catch {
    return undefined;
  }
}

export async function recordInstalled(peer, record) {
  await rm(join(folderOf(peer), UNAVAILABLE), { force: true });
  await writeWhole(join(folderOf(peer), INSTALLED), record);
}

/** Leaves nothing of the attempt but the reason, which the tests repeat when they skip. */
export async function recordUnavailable(peer, reason) {
  await rm(folderOf(peer), { recursive: true, force: true });
  await mkdir(folderOf(peer), { recursive: true });
  await writeWhole(join(folderOf(peer), UNAVAILABLE), { name: peer.name, version: peer.version, reason });
}

async function writeWhole(path, value) {
  await writeFile(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

/**
 * Holds the cache folder for this process: two runs would build into the same folders. Waits for a living holder,
 * at most `minutes`; a lock whose process is gone is taken over. Resolves with the function that lets go.
 */
export async function lockCache(say, minutes = 30) {
  await mkdir(cacheFolder(), { recursive: true });
  const path = join(cacheFolder(), "lock");
  const deadline = Date.now() + minutes * 60_000;
  for (let told = false; ; told = true) {
    try {
      const file = await open(path, "wx");
      await file.writeFile(String(process.pid));
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = await readHolder(path);
    if (holder === "gone") {
      await rm(path, { force: true });
      continue;
    }
    if (Date.now() > deadline) throw new Error(`another run (process ${holder}) has held ${path} for ${minutes} minutes`);
    if (!told) say(`waiting for another run (process ${holder})`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function readHolder(path) {
  let pid;
  try {
    pid = Number(await readFile(path, "utf8"));
    // The holder writes its number right after making the file.
    if (!pid) return Date.now() - (await stat(path)).mtimeMs > 5000 ? "gone" : "starting";
  } catch {
    return "gone";
  }
  try {
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return error.code === "EPERM" ? pid : "gone";
  }
}
