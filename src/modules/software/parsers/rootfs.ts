import type { Component, OperatingSystem } from "../component.ts";
import { InputError, namingFile } from "../input-error.ts";
import { parseApkInstalled } from "./apk-installed.ts";
import { parseDpkgStatus } from "./dpkg-status.ts";
import { type FileTree, listDirectory, readFile, resolvePath } from "./file-tree.ts";
import { isLanguageFile } from "./language-packages.ts";
import { findLanguagePackages, type SearchOptions } from "./language-search.ts";
import type { ParsedInput, ParseNote } from "./notes.ts";
import { parseOsRelease } from "./os-release.ts";

export interface RootfsOptions {
  /** Instead of what os-release says. */
  os?: OperatingSystem;
  scope: SearchOptions["scope"];
  /** Directory entries to look at for language packages; 300,000 unless given. */
  entryLimit?: number;
}

const databaseLimit = 64 * 1024 * 1024;
const osReleaseFiles = ["etc/os-release", "usr/lib/os-release"];
const dpkgStatus = "var/lib/dpkg/status";
const dpkgStatusDirectory = "var/lib/dpkg/status.d";
const dpkgInfo = "var/lib/dpkg/info";
const apkFiles = ["lib/apk/db/installed", "usr/lib/apk/db/installed"];

/** Package databases that are seen but not read. */
const unread: readonly [manager: string, paths: readonly string[]][] = [
  ["rpm", ["var/lib/rpm", "usr/lib/sysimage/rpm"].flatMap((folder) => ["rpmdb.sqlite", "Packages", "Packages.db"].map((name) => `${folder}/${name}`))],
  ["pacman", ["var/lib/pacman/local/ALPM_DB_VERSION"]],
  ["opkg", ["usr/lib/opkg/status", "var/lib/opkg/status"]],
  ["nix", ["nix/var/nix/db/db.sqlite"]],
  ["snap", ["var/lib/snapd/state.json"]],
  ["flatpak", ["var/lib/flatpak/repo/config"]],
];

/**
 * What of a root file system's files is read. For a reader that must choose before links are known (layers of an
 * image), so by the end of a path: `lib` is often a link to `usr/lib`. `presence` is enough for what is only noted.
 */
export function neededFile(path: string): "content" | "presence" | undefined {
  if (isLanguageFile(path) || /(?:^|\/)(?:os-release|apk\/db\/installed|dpkg\/status|dpkg\/status\.d\/[^/]+|dpkg\/info\/[^/]+\.list)$/.test(path)) {
    return "content";
  }
  return unread.some(([, paths]) => paths.includes(path)) ? "presence" : undefined;
}

/**
 * Reads a root file system: os-release, the databases of dpkg and apk, and npm and Python packages beside them.
 * What is there but not read is in `notes`. Throws InputError where a database is damaged, or where the tree holds
 * nothing that this reads.
 */
export async function parseRootfs(tree: FileTree, options: RootfsOptions): Promise<ParsedInput> {
  const os = options.os ?? (await operatingSystem(tree));
  const apk = await firstFile(tree, apkFiles);
  const distribution = [...(await dpkgComponents(tree, os)), ...(await apkComponents(apk, os))];
  const owned = new Set([...(await ownedByDpkg(tree)), ...ownedByApk(apk?.text ?? "")]);
  const languages = await findLanguagePackages(tree, { owned, scope: options.scope, entryLimit: options.entryLimit ?? 300_000 });
  const components = [...distribution, ...languages.components];
  const notes = [...(await unreadDatabases(tree)), ...languages.notes];
  if (components.length === 0 && os === undefined && notes.length === 0) {
    throw new InputError("not-this-format", `this is no root file system: there is no ${osReleaseFiles[0]}, no ${dpkgStatus}, no ${apkFiles[0]}`);
  }
  if (os === undefined) notes.push({ kind: "no-operating-system", what: "there is no etc/os-release; say which system it is with --os" });
  if (components.length === 0) notes.push({ kind: "no-packages", what: "no package database that can be read, and no language package, was found" });
  return { ...(os && { os }), components, notes };
}

interface TextFile {
  path: string;
  text: string;
}

async function firstFile(tree: FileTree, paths: readonly string[]): Promise<TextFile | undefined> {
  for (const path of paths) {
    const content = await namingFile(path, () => readFile(tree, path, databaseLimit));
    if (content) return { path, text: content.toString("utf8") };
  }
  return undefined;
}

async function operatingSystem(tree: FileTree): Promise<OperatingSystem | undefined> {
  const file = await firstFile(tree, osReleaseFiles);
  return file && namingFile(file.path, () => parseOsRelease(file.text));
}

/** An empty database beside status.d is what images built without dpkg have. */
async function dpkgComponents(tree: FileTree, os: OperatingSystem | undefined): Promise<Component[]> {
  const status = await firstFile(tree, [dpkgStatus]);
  const components = status && status.text.trim() !== "" ? await namingFile(status.path, () => parseDpkgStatus(status.text, os)) : [];
  for (const { name } of (await listDirectory(tree, dpkgStatusDirectory)) ?? []) {
    if (name.endsWith(".md5sums") || name.startsWith(".")) continue;
    const file = await firstFile(tree, [`${dpkgStatusDirectory}/${name}`]);
    if (file) components.push(...(await namingFile(file.path, () => parseDpkgStatus(file.text, os, { kind: "control" }))));
  }
  return components;
}

async function apkComponents(file: TextFile | undefined, os: OperatingSystem | undefined): Promise<Component[]> {
  return file ? namingFile(file.path, () => parseApkInstalled(file.text, os)) : [];
}

async function ownedByDpkg(tree: FileTree): Promise<string[]> {
  const owned: string[] = [];
  const directory = await resolvePath(tree, dpkgInfo);
  for (const { name, kind } of (await listDirectory(tree, dpkgInfo)) ?? []) {
    if (kind !== "file" || !name.endsWith(".list")) continue;
    const content = await tree.readAt(`${directory}/${name}`, databaseLimit);
    for (const line of content.toString("utf8").split("\n")) if (isLanguageFile(line)) owned.push(line.slice(1));
  }
  return owned;
}

/** apk names a directory (F:) and after it the files in it (R:). */
function ownedByApk(text: string): string[] {
  const owned: string[] = [];
  let directory = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("F:")) directory = line.slice(2);
    const path = `${directory}/${line.slice(2)}`;
    if (line.startsWith("R:") && isLanguageFile(path)) owned.push(path);
  }
  return owned;
}

async function unreadDatabases(tree: FileTree): Promise<ParseNote[]> {
  const notes: ParseNote[] = [];
  for (const [manager, paths] of unread) {
    for (const path of paths) {
      if (!(await mayBeThere(tree, path))) continue;
      notes.push({ kind: "unread-package-database", what: `the packages of ${manager} are not read`, path });
      break;
    }
  }
  return notes;
}

/** What lies behind a closed directory may be there. */
async function mayBeThere(tree: FileTree, path: string): Promise<boolean> {
  try {
    return (await resolvePath(tree, path)) !== undefined;
  } catch (error) {
    if (error instanceof InputError && error.code === "no-permission") return true;
    throw error;
  }
}
