import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
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
