import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readdirSync, readSync, rmSync, fstatSync, statSync } from "node:fs";
import { join } from "node:path";
import { DeclaredError } from "../../errors.ts";
import type { Binaries } from "./binaries.ts";
import { programEnvironment } from "./cluster.ts";
import { AlreadyRunning, diskFull, NotWritable, StartFailed } from "./errors.ts";
import type { Location } from "./location.ts";
import { ownerSetting } from "./postmaster-pid.ts";
import { credentials } from "./run-user.ts";

/** A postmaster that is our child. */
export interface Postmaster {
  pid: number;
  /** Resolves when it has ended, with how: `exit code 1`, `SIGKILL`. */
  ended: Promise<string>;
  hasEnded(): boolean;
  /** The last of what it wrote before its log collector took over. */
  said(): string;
  kill(signal: NodeJS.Signals): void;
  child: ChildProcess;
}

export interface Listening {
  socketDir: string;
  port: number;
  tcp: boolean;
}

/** In a session of its own, so that Ctrl-C in a terminal reaches us alone and the server outlives our draining. */
export function launchPostmaster(place: Location, binaries: Binaries, listening: Listening, owner: string): Postmaster {
  const settings = {
    unix_socket_directories: listening.socketDir,
    listen_addresses: listening.tcp ? "127.0.0.1" : "",
    port: String(listening.port),
    [ownerSetting]: owner,
  };
  const data = join(place.cluster, "data");
  const child = spawn(binaries.postgres, ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])], {
    ...credentials(place.user),
    cwd: "/",
    detached: true,
    env: programEnvironment,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  let over = false;
  child.stderr?.on("data", (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-8_000)));
  if (child.stderr !== null && "unref" in child.stderr && typeof child.stderr.unref === "function") child.stderr.unref();
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => {
      over = true;
      said += `\n${error.message}`;
      resolve(error.message);
    });
    child.once("exit", (code, signal) => {
      over = true;
      resolve(signal ?? `exit code ${code}`);
    });
  });
  return { pid: child.pid ?? -1, ended, hasEnded: () => over, said: () => said, kill: (signal) => void child.kill(signal), child };
}

/** Turns what a server said before it ended into an error that names the way out. */
export function startError(place: Location, how: string, said: string): DeclaredError {
  const text = `${said}\n${logTail(place)}`;
  const other = /lock file "[^"]*postmaster\.pid" already exists[\s\S]*?\(PID (\d+)\)/.exec(said)?.[1];
  if (other !== undefined) return alreadyRunning(place, Number(other), undefined);
  if (/No space left on device/.test(text)) return diskFull(place.cluster);
  const denied = /could not (?:create|open|write)[^\n]*(Permission denied|Read-only file system)/.exec(text);
  if (denied !== null) {
    return new DeclaredError(NotWritable, `PostgreSQL may not write in ${place.cluster} as ${place.user.name} (${denied[1]}). Make the folder writable for that user, or choose another data folder.`, { path: place.cluster });
  }
  const reasons = text.split("\n").filter((line) => /FATAL|PANIC|HINT|error while loading/.test(line)).slice(-3).map((line) => line.trim());
  return new DeclaredError(StartFailed, `PostgreSQL did not start in ${place.cluster} (${how}). ${reasons.join(" ") || said.trim().slice(-300)} Its log is in ${join(place.cluster, "log")}.`, { path: place.cluster });
}

export function alreadyRunning(place: Location, postmaster: number, owner: number | undefined): DeclaredError {
  const who = owner === undefined ? `PostgreSQL (process ${postmaster}), which this program did not start` : `process ${owner} (its PostgreSQL is process ${postmaster})`;
  return new DeclaredError(
    AlreadyRunning,
    `The database in ${place.cluster} is already served by ${who}. Use that one, stop it first (kill ${owner ?? postmaster}), or choose another data folder.`,
    { path: place.cluster, pid: owner ?? postmaster, postmaster },
  );
}

function logFiles(place: Location): { path: string; size: number }[] {
  try {
    const folder = join(place.cluster, "log");
    return readdirSync(folder).filter((name) => name.endsWith(".log")).toSorted().map((name) => ({ path: join(folder, name), size: statSync(join(folder, name)).size }));
  } catch {
    return [];
  }
}

function logTail(place: Location): string {
  const newest = logFiles(place).at(-1);
  if (newest === undefined) return "";
  const file = openSync(newest.path, "r");
  try {
    const length = Math.min(fstatSync(file).size, 4_000);
    const bytes = Buffer.alloc(length);
    readSync(file, bytes, 0, length, newest.size - length);
    return bytes.toString();
  } finally {
    closeSync(file);
  }
}

/** Keeps the newest log files up to `limit` bytes; PostgreSQL rotates them but never removes one. */
export function pruneLogs(place: Location, limit = 50 * 1024 * 1024): void {
  let total = 0;
  for (const { path, size } of logFiles(place).toReversed()) {
    total += Math.max(size, 1);
    if (total > limit) rmSync(path, { force: true });
  }
}
