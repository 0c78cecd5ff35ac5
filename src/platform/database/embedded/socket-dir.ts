import { existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { give } from "./cluster.ts";
import { canEnter, type RunUser } from "./run-user.ts";

/** sun_path holds 108 bytes on Linux and 104 on macOS, the last of them NUL. */
const pathLimit = process.platform === "linux" ? 107 : 103;

export interface SocketDir {
  path: string;
  /** True for one that was made for this run and is removed at its end. */
  temporary: boolean;
}

export function fitsSocketPath(folder: string, port: number): boolean {
  return Buffer.byteLength(join(folder, `.s.PGSQL.${port}.lock`)) <= pathLimit;
}

/**
 * The folder in the cluster, closed to all others. Where its path is too long for a socket, a new folder with a
 * random name among the temporary files: made by mkdtemp, so nobody else can have prepared it.
 */
export function socketDir(cluster: string, port: number, user: RunUser): SocketDir {
  const usual = join(cluster, "socket");
  if (fitsSocketPath(usual, port) && existsSync(usual)) return { path: usual, temporary: false };
  const roots = [tmpdir(), "/tmp"].filter((root) => fitsSocketPath(join(root, "qinfra-XXXXXX"), port) && (user.uid === undefined || canEnter(root, user)));
  const path = mkdtempSync(join(roots[0] ?? "/tmp", "qinfra-"));
  give(path, user);
  return { path, temporary: true };
}

export function removeSocketDir(dir: SocketDir): void {
  if (!dir.temporary) return;
  try {
    rmdirSync(dir.path);
  } catch {
    // Not empty where the server ended hard; the system sweeps its temporary files.
  }
}
