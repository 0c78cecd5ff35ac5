import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { link, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DeclaredError, fail } from "../errors.ts";
import { KeyFileUnusable, type Random } from "./types.ts";

/** Identifies one written version of a file; a rename changes it. */
export type FileVersion = string;

/** Undefined when there is no such file. */
export function fileVersion(path: string): FileVersion | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? undefined : `${found.ino}:${found.mtimeNs}:${found.size}`;
}

/** The text of a file that only its owner, who is us, can read; undefined when it is missing. Errors: KeyFileUnusable. */
export function readPrivate(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw unusable(path, `it cannot be read (${codeOf(error)})`, "let the user that runs the platform own it");
  }
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw unusable(path, "it is not a regular file", "move it away and restore the key file");
    checkOwner(path, found.uid);
    if ((found.mode & 0o077) !== 0) throw unusable(path, `others may read it (mode ${octal(found.mode)})`, `run: chmod 600 ${path}`);
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

/** Makes the folder (0700), or checks that only its owner, who is us, can change what is in it. */
export async function preparePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await stat(folder);
  checkOwner(folder, found.uid);
  if ((found.mode & 0o022) !== 0) throw unusable(folder, `others may change what is in it (mode ${octal(found.mode)})`, `run: chmod 700 ${folder}`);
}

/** Creates the file (0600) whole or not at all. False when it was there already, as when another process was first. */
export async function createPrivate(path: string, text: string, random: Random): Promise<boolean> {
  const temporary = await writeTemporary(path, text, random);
  try {
    await link(temporary, path); // unlike rename, it never replaces
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Runs the change while no other process changes the file, then replaces it (0600) whole or not at all. */
export async function replacePrivate(path: string, random: Random, change: () => string): Promise<void> {
  const lock = `${path}.lock`;
  try {
    await (await open(lock, "wx", 0o600)).close();
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    fail(KeyFileUnusable, `Another process is changing ${path}. If none is, one was killed while it did: delete ${lock} and try again.`);
  }
  try {
    const temporary = await writeTemporary(path, change(), random);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } finally {
    await rm(lock, { force: true });
  }
}

export function unusable(path: string, reason: string, next: string): DeclaredError {
  return new DeclaredError(KeyFileUnusable, `${path} cannot be used: ${reason}. Next: ${next}.`);
}

async function writeTemporary(path: string, text: string, random: Random): Promise<string> {
  const temporary = join(dirname(path), `.${basename(path)}.${Buffer.from(random(8)).toString("hex")}`);
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return temporary;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function checkOwner(path: string, uid: number): void {
  const self = process.geteuid?.();
  if (self === undefined || uid === self) return;
  throw unusable(path, `it belongs to user ${uid}, and the platform runs as user ${self}`, `run the platform as its owner, or: chown ${self} ${path}`);
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "unknown error";
}
