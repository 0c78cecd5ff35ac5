import { execFile, spawn } from "node:child_process";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const exec = promisify(execFile);

export interface User {
  uid: number;
  gid: number;
}

export interface Server {
  pid: number;
  /** What it has written to both outputs, the last 64 KB of it. */
  log(): string;
  /** Whether it has ended, by itself or by `stop`. */
  ended(): boolean;
  /** Asks it to end, kills it after ten seconds, and resolves once it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const running = new Set<{ kill(signal: NodeJS.Signals): boolean }>();
// A worker that vitest ends early must not leave its servers behind.
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

/** Starts a server as a child of this process, with a small environment. */
export function startServer(command: string, args: readonly string[], options: { cwd?: string; env?: Record<string, string>; user?: User } = {}): Server {
  const { user, cwd, env } = options;
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    ...user,
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C.UTF-8", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  const collect = (chunk: string) => {
    log = (log + chunk).slice(-65_536);
  };
  child.stdout.setEncoding("utf8").on("data", collect);
  child.stderr.setEncoding("utf8").on("data", collect);
  running.add(child);
  let ended = false;
  const exited = new Promise<void>((resolve) => {
    const end = () => {
      ended = true;
      running.delete(child);
      resolve();
    };
    child.once("exit", end);
    child.once("error", (error) => {
      collect(error.message);
      end();
    });
  });
  return {
    pid: child.pid ?? -1,
    log: () => log,
    ended: () => ended,
    async stop(signal = "SIGTERM") {
      if (ended) return;
      child.kill(signal);
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Resolves once `ready` does so with true. Rejects with the server's log when it ends or the time (ms) is over. */
export async function untilReady(server: Server, what: string, ready: () => Promise<boolean>, limit = 30_000): Promise<void> {
  const deadline = Date.now() + limit;
  for (;;) {
    if (server.ended()) throw new Error(`${what} ended while it started:\n${server.log()}`);
    if (await ready().catch(() => false)) return;
    if (Date.now() > deadline) {
      await server.stop();
      throw new Error(`${what} was not ready after ${limit / 1000} s:\n${server.log()}`);
    }
    await delay(25);
  }
}

/** A TCP port on 127.0.0.1 that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}

/** An empty folder of this user, or of `owner`, and the function that removes it. */
export async function temporaryFolder(name: string, owner?: User): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `qinfra-${name}-`));
  if (owner) await chown(path, owner.uid, owner.gid);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** For servers that refuse to run as root: the first of these accounts that exists, or undefined when not root. */
export async function unprivilegedUser(...names: readonly string[]): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of names) {
    try {
      const [uid, gid] = await Promise.all([exec("id", ["-u", name]), exec("id", ["-g", name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // Not on this machine: the next one.
    }
  }
  throw new Error(`none of these accounts exists: ${names.join(", ")}`);
}
