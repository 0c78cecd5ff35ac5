import type { Component } from "../component.ts";
import { InputError } from "../input-error.ts";
import { type Entry, type FileTree, listDirectory, resolvePath } from "./file-tree.ts";
import { isLanguageFile, languageComponent, languageFileLimit } from "./language-packages.ts";
import type { ParseNote } from "./notes.ts";

export interface SearchOptions {
  /**
   * `image`: everything that could hold an application. `machine`: only where software is installed for the whole
   * system; the homes and projects of its users are not searched.
   */
  scope: "image" | "machine";
  /** Files that belong to packages of the distribution: those packages are reported, once. */
  owned: ReadonlySet<string>;
  /** Directory entries that are looked at before the search stops and says so. */
  entryLimit: number;
}

/** Installed for the whole system, outside of the distribution's own packages. */
const systemWide = ["usr/lib/node_modules", "usr/local", "opt", "srv"];

/** Places where images keep applications, beside directories of the root that are in no standard. */
const applications = ["usr/src", "usr/app", "var/www", "var/task", "var/app"];

/** Directories of the root that hold no application, or are searched in part by the lists above. */
const skippedInRoot = new Set(
  "bin boot dev etc lib lib32 lib64 libx32 lost+found media mnt proc run sbin snap sys tmp usr var".split(" "),
);
const skippedAnywhere = new Set([".cache", ".git", ".hg", ".npm", ".svn", "proc", "sys"]);

/** npm and Python packages outside of the distribution's package database, each coordinate once. */
export async function findLanguagePackages(
  tree: FileTree,
  options: SearchOptions,
): Promise<{ components: Component[]; notes: ParseNote[] }> {
  const found = new Map<string, Component>();
  const searched = new Set<string>();
  const closed: string[] = [];
  const unreadable: string[] = [];
  const pending = (await startingPoints(tree, options.scope)).reverse();
  let entries = 0;
  while (pending.length > 0 && entries <= options.entryLimit) {
    const directory = pending.pop() ?? "";
    if (searched.has(directory)) continue;
    searched.add(directory);
    const list = await refusedAs(closed, directory, () => tree.listAt(directory));
    for (const { name, kind } of list?.sort(byName) ?? []) {
      entries += 1;
      const path = `${directory}/${name}`;
      if (kind === "directory" && !skippedAnywhere.has(name)) pending.push(path);
      if (kind !== "file" || !isLanguageFile(path) || options.owned.has(path)) continue;
      const component = await refusedAs(unreadable, path, () => read(tree, path));
      if (component) found.set(component.purl ?? path, component);
    }
  }
  const notes = [
    ...note("not-searched", "directories that may not be read were not searched for language packages", closed),
    ...note("not-searched", `the search for language packages stopped after ${options.entryLimit} entries`, pending),
    ...note("unreadable-file", "files of language packages could not be read", unreadable),
  ];
  return { components: [...found.values()], notes };
}

async function read(tree: FileTree, path: string): Promise<Component | undefined> {
  return languageComponent(path, await tree.readAt(path, languageFileLimit));
}

async function refusedAs<T>(refused: string[], path: string, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    refused.push(path);
    return undefined;
  }
}

async function startingPoints(tree: FileTree, scope: SearchOptions["scope"]): Promise<string[]> {
  const points = [...systemWide];
  for (const parent of ["usr/lib", "usr/lib64"]) {
    const list = (await listDirectory(tree, parent)) ?? [];
    points.push(...list.filter(({ name }) => /^python\d[\d.]*$/.test(name)).map(({ name }) => `${parent}/${name}`));
  }
  if (scope === "image") {
    const root = (await listDirectory(tree, "")) ?? [];
    const own = root.filter(({ name, kind }) => kind === "directory" && !skippedInRoot.has(name));
    points.push(...applications, ...own.map(({ name }) => name));
  }
  // The search itself follows no links, so that it ends, and takes each path literally.
  const literal = new Set<string>();
  for (const point of points) {
    const path = await resolvePath(tree, point);
    if (path !== undefined && path !== "" && (await tree.kindAt(path)) === "directory") literal.add(path);
  }
  return [...literal];
}

function byName(a: Entry, b: Entry): number {
  return a.name < b.name ? 1 : -1;
}

function note(kind: ParseNote["kind"], what: string, paths: readonly string[]): ParseNote[] {
  const [path] = paths;
  return path === undefined ? [] : [{ kind, what, path, count: paths.length }];
}
