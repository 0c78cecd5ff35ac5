import { InputError } from "../input-error.ts";

export type EntryKind = "file" | "directory" | "symlink" | "other";

export interface Entry {
  name: string;
  kind: EntryKind;
}

/**
 * The files of a root file system, wherever they lie: in a directory or in the layers of an image. Paths are relative
 * to its root, without a leading slash; the root is the empty path. These functions take a path literally: no part of
 * it is a link. Use `readFile` and `listDirectory`, which follow links.
 */
export interface FileTree {
  /** Undefined where nothing is. */
  kindAt(path: string): Promise<EntryKind | undefined>;
  linkTargetAt(path: string): Promise<string>;
  /** Throws InputError `too-large` for a file of more than `limit` bytes, `no-permission` for one that is closed. */
  readAt(path: string, limit: number): Promise<Buffer>;
  listAt(path: string): Promise<Entry[]>;
}

/** Linux follows no more links than this in one path. */
const maxLinks = 40;

/**
 * The literal path that `path` leads to when `/` is the tree's root: absolute links begin there and `..` ends there,
 * so nothing outside is ever reached. Undefined where nothing is.
 */
export async function resolvePath(tree: FileTree, path: string): Promise<string | undefined> {
  const rest = segmentsOf(path).reverse();
  const done: string[] = [];
  for (let links = 0; rest.length > 0; ) {
    const segment = rest.pop() ?? "";
    if (segment === "..") {
      done.pop();
      continue;
    }
    const here = [...done, segment].join("/");
    const kind = await tree.kindAt(here);
    if (kind === undefined || (kind !== "directory" && kind !== "symlink" && rest.length > 0)) return undefined;
    if (kind !== "symlink") {
      done.push(segment);
      continue;
    }
    links += 1;
    if (links > maxLinks) return undefined;
    const target = await tree.linkTargetAt(here);
    if (target.startsWith("/")) done.length = 0;
    rest.push(...segmentsOf(target).reverse());
  }
  return done.join("/");
}

export function segmentsOf(path: string): string[] {
  return path.split("/").filter((segment) => segment !== "" && segment !== ".");
}

/** The file's bytes, links followed within the tree; undefined where there is no such file. */
export async function readFile(tree: FileTree, path: string, limit: number): Promise<Buffer | undefined> {
  const found = await resolvePath(tree, path);
  if (found === undefined || (await tree.kindAt(found)) !== "file") return undefined;
  return tree.readAt(found, limit);
}

/** What a directory holds, by name, links followed on the way to it; undefined where there is none. */
export async function listDirectory(tree: FileTree, path: string): Promise<Entry[] | undefined> {
  const found = await resolvePath(tree, path);
  if (found === undefined || (found !== "" && (await tree.kindAt(found)) !== "directory")) return undefined;
  const entries = await tree.listAt(found);
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

export function tooLarge(path: string, limit: number): InputError {
  return new InputError("too-large", `the file is larger than the limit of ${limit} bytes`, { path });
}
