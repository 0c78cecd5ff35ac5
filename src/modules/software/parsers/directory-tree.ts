import { constants, type Dirent } from "node:fs";
import { lstat, open, readdir, readlink, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../input-error.ts";
import { type Entry, type EntryKind, type FileTree, tooLarge } from "./file-tree.ts";
import { readError } from "./read-input.ts";

/** The files under a directory. Throws InputError where it is none. */
export async function openDirectoryTree(directory: string): Promise<FileTree> {
  const root = await asked(directory, () => realpath(directory));
  const stats = await asked(directory, () => stat(root));
  if (!stats.isDirectory()) throw new InputError("not-a-directory", "this is no directory", { path: directory });
  return {
    kindAt: (path) => kindAt(join(root, path)),
    linkTargetAt: (path) => asked(join(root, path), () => readlink(join(root, path))),
    readAt: (path, limit) => asked(join(root, path), () => readBounded(join(root, path), limit)),
    listAt: async (path) => (await asked(join(root, path), () => readdir(join(root, path), { withFileTypes: true }))).map(entryOf),
  };
}

async function asked<T>(path: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw readError(error, path);
  }
}

async function kindAt(path: string): Promise<EntryKind | undefined> {
  try {
    return kindOf(await lstat(path));
  } catch (error) {
    const known = readError(error, path);
    if (known.code === "not-found") return undefined;
    throw known;
  }
}

/** Reads up to the limit whatever the file says of its size: files under /proc say 0. */
async function readBounded(path: string, limit: number): Promise<Buffer> {
  // The path was resolved before; a link that appears in between is not followed out of the root.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await handle.stat();
    if (size > limit) throw tooLarge(path, limit);
    const content = await handle.readFile();
    if (content.length > limit) throw tooLarge(path, limit);
    return content;
  } finally {
    await handle.close();
  }
}

function entryOf(entry: Dirent): Entry {
  return { name: entry.name, kind: kindOf(entry) };
}

function kindOf(entry: Pick<Dirent, "isFile" | "isDirectory" | "isSymbolicLink">): EntryKind {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "directory";
  return entry.isSymbolicLink() ? "symlink" : "other";
}
