import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

/** Whom a program of a test runs as; without uid, as ourselves. */
export interface TestUser {
  title: string;
  uid?: number;
  gid?: number;
  /** Why these tests cannot run here. */
  skip?: string;
}

const fixture = join(import.meta.dirname, "fixture-server.ts");
const nobody = 65_534;

export const isRoot = process.getuid?.() === 0;

/** Ourselves, and where we are root an unprivileged user too. */
export const users: TestUser[] = [{ title: isRoot ? "as root" : "as an ordinary user" }, unprivileged()];

function unprivileged(): TestUser {
  const title = "as an unprivileged user";
  if (!isRoot) return { title, skip: "needs root to become another user" };
  const readable = spawnSync(process.execPath, ["--eval", "0"], { uid: nobody, gid: nobody, cwd: import.meta.dirname }).status === 0;
  return readable ? { title, uid: nobody, gid: nobody } : { title, skip: "the checkout cannot be entered by nobody" };
}

/** A folder of that user, removed by `sweep`. */
export function temporaryFolder(user: TestUser, made: string[], mode = 0o755): string {
  const folder = mkdtempSync(join(tmpdir(), "qinfra-embedded-"));
  chmodSync(folder, mode);
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  made.push(folder);
  return folder;
}

export function sweep(made: string[]): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

export interface Served {
  child: ChildProcess;
  postmaster: number;
  cluster: string;
  host: string;
}

/** Starts the fixture program and waits until its server is ready; rejects with what it said on standard error. */
export async function serve(user: TestUser, dataDir: string, fallbackRoot = join(dataDir, "../fallback")): Promise<Served> {
  const identity = user.uid === undefined || user.gid === undefined ? {} : { uid: user.uid, gid: user.gid };
  const child = spawn(process.execPath, [fixture, JSON.stringify({ dataDir, fallbackRoot })], { ...identity, stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => void (said += chunk.toString()));
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once("line", resolve);
    child.once("exit", () => reject(new Error(said)));
  });
  return { child, ...(JSON.parse(line) as Omit<Served, "child">) };
}

export async function end(served: Served): Promise<void> {
  if (served.child.exitCode !== null || served.child.signalCode !== null) return;
  const exited = new Promise((resolve) => served.child.once("exit", resolve));
  served.child.stdin?.end();
  await exited;
}

/** Command lines of the running processes that have `text` among their arguments. */
export function processesOf(text: string): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      return command.includes(text) && Number(pid) !== process.pid ? [`${pid} ${command}`] : [];
    } catch {
      return [];
    }
  });
}

export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = AbortSignal.timeout(15_000);
  while (!condition()) {
    if (deadline.aborted) throw new Error(`gave up waiting: ${what}`);
    await delay(20);
  }
}

export function folderIn(parent: string, name: string, mode: number): string {
  const path = join(parent, name);
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}
