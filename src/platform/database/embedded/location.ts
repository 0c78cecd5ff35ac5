import { createHash, randomBytes } from "node:crypto";
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DeclaredError } from "../../errors.ts";
import { fileError, NotWritable } from "./errors.ts";
import { canEnter, chooseRunUser, type RunUser } from "./run-user.ts";

/** Where a server keeps its things, and whom it runs as. */
export interface Location {
  /** Holds `cluster/` and `binaries-<version>/`. */
  home: string;
  /** `<home>/cluster`: `data/`, `log/`, `socket/` and `superuser-password`, made whole or not at all. */
  cluster: string;
  user: RunUser;
  /** True where the data folder could not be entered by the user that PostgreSQL runs as. */
  moved: boolean;
}

/** Whether a start on this data folder would find a database, wherever it lies. Changes nothing. */
export function embeddedClusterExists(dataDir: string): boolean {
  const path = resolve(dataDir);
  return [path, readPointer(path)].some((home) => home !== undefined && existsSync(join(home, "cluster")));
}

/** In a data folder, the path of the folder that stands in for it. */
const pointerName = "cluster-location";

/**
 * The data folder itself, or, where PostgreSQL's user cannot enter it (a checkout under root's 0700 home), a folder
 * of its own under `fallbackRoot`. The choice is written down in the data folder, so that it stays when modes change,
 * and goes when the data folder is deleted.
 */
export function locate(dataDir: string, fallbackRoot: string): Location {
  const path = resolve(dataDir);
  try {
    makeFolder(path);
    const here = location(realpathSync(path), false);
    const pointer = readPointer(path);
    if (pointer !== undefined) return prepared(location(pointer, true));
    if (here.user.uid === undefined || canEnter(here.home, here.user)) return here;
    if (existsSync(here.cluster)) throw locked(here);
    const name = createHash("sha256").update(here.home).update(randomBytes(16)).digest("hex").slice(0, 12);
    const there = join(fallbackRoot, name);
    writeFileSync(join(path, pointerName), `${there}\n`, { mode: 0o644 });
    return prepared(location(there, true));
  } catch (error) {
    throw fileError(error, path) ?? error;
  }
}

function locked(here: Location): DeclaredError {
  return new DeclaredError(
    NotWritable,
    `The database in ${here.cluster} belongs to ${here.user.name}, who cannot enter ${here.home}. Let them pass (chmod o+x on each folder above it), or set DATABASE_URL.`,
    { path: here.cluster },
  );
}

function location(home: string, moved: boolean): Location {
  const cluster = join(home, "cluster");
  return { home, cluster, user: chooseRunUser(cluster), moved };
}

function prepared(there: Location): Location {
  makeFolder(there.home);
  return there;
}

/** Makes a folder that others may pass through, whatever the umask is: what lies in it has modes of its own. */
function makeFolder(path: string): void {
  let nearest = path;
  while (!existsSync(nearest)) nearest = dirname(nearest);
  // mkdir of a whole path says ENOENT where the file system is read-only.
  if (nearest !== path) accessSync(nearest, constants.W_OK | constants.X_OK);
  const first = mkdirSync(path, { recursive: true });
  if (first === undefined || process.getuid?.() !== 0) return;
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) chmodSync(folder, 0o755);
}

function readPointer(dataDir: string): string | undefined {
  try {
    const text = readFileSync(join(dataDir, pointerName), "utf8").trim();
    return text.startsWith("/") ? text : undefined;
  } catch {
    return undefined;
  }
}
