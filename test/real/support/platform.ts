import { execFile } from "node:child_process";
import { chmod, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { Agent, fetch } from "undici";
import { openClient, type Client } from "./client.ts";
import { startServer, temporaryFolder, untilReady } from "./process.ts";

/** A platform that runs as a process of its own, as `npm run up` would start it. */
export interface RunningPlatform {
  /** `http://127.0.0.1:PORT` */
  address: string;
  pid: number;
  dataDir: string;
  /** What `up` printed for the first administrator; absent once a password was set. */
  oneTimePassword?: string;
  /** What it wrote to its outputs, and the end of its log. */
  log(): Promise<string>;
  ended(): boolean;
  /** SIGTERM drains; SIGKILL is a crash. Keeps the data folder. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface StartOptions {
  /** Arguments of node before the program. */
  nodeArguments?: readonly string[];
  /** Command before node, such as `taskset -c 0`. */
  launcher?: readonly string[];
  /** Folder of another version, in place of the one that is built here. */
  version?: string;
  /** PEM files, where it speaks TLS: the authority of its certificate, and what it is shown. */
  ca?: string;
  client?: { cert: string; key: string };
}

export const root = join(import.meta.dirname, "../../..");

let built: Promise<unknown> | undefined;
/** What is started is what `npm run up` starts: the bundle of these sources, made where it is not there yet. */
export function ensureBuilt(): Promise<unknown> {
  return (built ??= promisify(execFile)(process.execPath, [join(root, "scripts/build.mjs")], { cwd: root, timeout: 300_000 }));
}

/** Starts `qinfra up` on a free port of loopback with these settings beside the defaults, and resolves once it is ready. */
export async function startPlatform(dataDir: string, env: Readonly<Record<string, string>> = {}, options: StartOptions = {}): Promise<RunningPlatform> {
  const { nodeArguments = [], launcher = [], version = root } = options;
  if (version === root) await ensureBuilt();
  const [command = process.execPath, ...args] = [...launcher, process.execPath, ...nodeArguments, join(version, "dist/main.mjs"), "up"];
  const server = startServer(command, args, { cwd: version, env: { HOME: dataDir, DATA_DIR: dataDir, HOST: "127.0.0.1", PORT: "0", ...env } });
  const said = (): string => stripVTControlCharacters(server.log());
  const log = async (): Promise<string> => `${said()}\n${(await readFile(join(dataDir, "qinfra.log"), "utf8").catch(() => "")).slice(-8_000)}`;
  let address = "";
  try {
    await untilReady(server, "the platform", async () => {
      const [, protocol, port] = /is up at (https?):\/\/localhost:(\d+)/.exec(said()) ?? [];
      if (port === undefined) return false;
      address = `${protocol}://127.0.0.1:${port}`;
      return isReady(address, options);
    }, 60_000);
  } catch (error) {
    await server.stop("SIGKILL");
    throw new Error(await log(), { cause: error });
  }
  const oneTimePassword = /one-time password (\S+)/.exec(said())?.[1];
  return {
    address, pid: server.pid, dataDir, log, ended: server.ended, stop: server.stop,
    ...(oneTimePassword === undefined ? {} : { oneTimePassword }),
  };
}

async function isReady(address: string, { ca, client }: StartOptions): Promise<boolean> {
  const file = async (path: string | undefined) => (path === undefined ? undefined : readFile(path));
  const [authority, cert, key] = await Promise.all([ca, client?.cert, client?.key].map(file));
  const dispatcher = new Agent({ connect: { ...(authority && { ca: authority }), ...(cert && { cert }), ...(key && { key }) } });
  try {
    return (await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(2_000), dispatcher })).ok;
  } finally {
    await dispatcher.close();
  }
}

/** An empty data folder that the embedded PostgreSQL may pass through when it runs as another user. */
export async function dataFolder(name: string): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await temporaryFolder(name);
  await chmod(folder.path, 0o711);
  return { path: folder.path, remove: () => rm(folder.path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Process id of the embedded database's postmaster. */
export async function postmasterOf(dataDir: string): Promise<number> {
  const text = await readFile(join(dataDir, "postgres/cluster/data/postmaster.pid"), "utf8");
  return Number.parseInt(text, 10);
}

/** Signs in with a one-time password and sets `password`; the client is that of a new session, with all rights of the user. */
export async function claim(address: string, name: string, oneTimePassword: string, password: string): Promise<Client> {
  const first = await signIn(address, name, oneTimePassword);
  try {
    await first.call("PUT", "/api/v1/users/me/password", { currentPassword: oneTimePassword, newPassword: password });
  } finally {
    await first.close();
  }
  return signIn(address, name, password);
}

export async function signIn(address: string, name: string, password: string): Promise<Client> {
  const anonymous = openClient(address);
  try {
    const { token } = await anonymous.call<{ token: string }>("POST", "/api/v1/sessions", { name, password, door: "cli" });
    return openClient(address, token);
  } finally {
    await anonymous.close();
  }
}
