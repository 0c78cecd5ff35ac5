import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DeclaredError } from "../errors.ts";
import { BlobNameInvalid } from "./blob-name.ts";
import { BlobsFull, BlobsUnavailable } from "./errors.ts";

export type OpenFile = (path: string, flags: string, mode: number) => Promise<Pick<FileHandle, "writeFile" | "sync" | "close">>;

/**
 * Writes the file (0600) whole or not at all: a temporary in `temporaryFolder`, fsync, rename, fsync of the folder.
 * The folder is made (0700) where it is missing. Errors: BlobsFull, BlobsUnavailable; nothing stays then.
 */
export async function writeAtomically(path: string, temporary: string, bytes: Uint8Array, openFile: OpenFile = open): Promise<void> {
  try {
    const folder = dirname(path);
    const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeSynced(temporary, bytes, openFile);
    await rename(temporary, path);
    await syncFolders(folder, firstMade === undefined ? folder : dirname(firstMade));
  } catch (error) {
    await rm(temporary, { force: true });
    throw storeError(error);
  }
}

/** Deletes what a killed process left in the folder more than a day ago: nothing takes a day to write. */
export async function sweepTemporaries(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined); // another process may sweep too
    if (found !== undefined && now - found.mtimeMs > 86_400_000) await rm(path, { force: true });
  }
}

export function storeError(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (error instanceof DeclaredError || code === undefined) return error;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") {
    return new DeclaredError(BlobsFull, `The disk of the file store is full (${code}); nothing was written. Free some space or move BLOBS_URL to a larger disk, then try again.`, undefined, error);
  }
  if (code === "ENOTDIR" || code === "EISDIR" || code === "EEXIST") {
    return new DeclaredError(BlobNameInvalid, "A part of this object's name is already the name of another object, or the other way round. Choose another name.");
  }
  return new DeclaredError(BlobsUnavailable, `The file store cannot be used (${code}). Check that the folder of BLOBS_URL is mounted and belongs to the user that runs the platform.`, undefined, error);
}

async function writeSynced(path: string, bytes: Uint8Array, openFile: OpenFile): Promise<void> {
  const file = await openFile(path, "wx", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** From the folder up to `top`, so that folders that were just made survive a power cut too. */
async function syncFolders(folder: string, top: string): Promise<void> {
  for (let current = folder; ; current = dirname(current)) {
    const handle = await open(current, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (current === top || current === dirname(current)) return;
  }
}
