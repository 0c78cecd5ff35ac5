import { chownSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandLine, isTaken, processToken } from "./process-identity.ts";

/** `postmaster.pid`, the lock file of a data directory: src/include/utils/pidfile.h. */
export interface PostmasterFile {
  pid: number;
  socketDir: string | undefined;
  /** `starting`, `ready`, `stopping`, `standby`; undefined before it is written. */
  status: string | undefined;
}

/** What was found about the server of a data directory. */
export type Postmaster =
  | { state: "none" }
  /** The file names a process that is gone; `reused` where its id is not free: another program has it, or its own zombie. */
  | { state: "stale"; pid: number; reused: boolean }
  /** It runs; `owner` names the program that started it where that was one of ours, `ownerPid` where that still runs. */
  | { state: "live"; pid: number; owner: string | undefined; ownerPid: number | undefined };

/** The setting by which a server carries the identity of the program that started it. */
export const ownerSetting = "qinfra.owner";

export function parsePostmasterFile(text: string): PostmasterFile | undefined {
  const lines = text.split("\n").map((line) => line.trim());
  // A standalone backend writes its id negated.
  const pid = Math.abs(Number(lines[0]));
  if (!Number.isSafeInteger(pid) || pid === 0) return undefined;
  return { pid, socketDir: lines[4] || undefined, status: lines[7] || undefined };
}

export function readPostmasterFile(data: string): PostmasterFile | undefined {
  const text = readText(join(data, "postmaster.pid"));
  return text === undefined ? undefined : parsePostmasterFile(text);
}

export function inspectPostmaster(data: string): Postmaster {
  const file = readPostmasterFile(data);
  if (file === undefined) return { state: "none" };
  if (processToken(file.pid) === undefined) return { state: "stale", pid: file.pid, reused: isTaken(file.pid) };
  const command = commandLine(file.pid);
  if (!/\bpostgres\b/.test(command) || !command.includes(data)) return { state: "stale", pid: file.pid, reused: true };
  const owner = new RegExp(`${ownerSetting}=([\\w-]+)`).exec(command)?.[1];
  const ownerPid = Number(owner?.split("-")[0]);
  return { state: "live", pid: file.pid, owner, ownerPid: owner !== undefined && processToken(ownerPid) === owner ? ownerPid : undefined };
}

/**
 * PostgreSQL refuses to start while the file names any live process of the same user. Where that is another program,
 * the id is replaced by one that cannot exist; the rest stays, because its shared memory key is what tells PostgreSQL
 * that backends of the dead server still run.
 */
export function disownPid(data: string): void {
  const path = join(data, "postmaster.pid");
  const text = readText(path);
  if (text === undefined) return;
  const next = `${path}.new`;
  rmSync(next, { force: true });
  // wx: never through a link that somebody put there.
  writeFileSync(next, text.replace(/^-?\d+/, "2147483647"), { mode: 0o600, flag: "wx" });
  const owner = statSync(path);
  chownSync(next, owner.uid, owner.gid);
  renameSync(next, path);
}

/** The lock of the socket says the same id, and PostgreSQL asks the same of it; it is made anew at each start. */
export function removeSocketLock(socketDir: string, port: number, pid: number): void {
  const path = join(socketDir, `.s.PGSQL.${port}.lock`);
  if (Number.parseInt(readText(path) ?? "", 10) === pid) rmSync(path, { force: true });
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
