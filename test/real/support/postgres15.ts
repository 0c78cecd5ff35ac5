import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { program } from "./peer.ts";
import { freePort, startServer, temporaryFolder, unprivilegedUser, untilReady, type Server } from "./process.ts";

const exec = promisify(execFile);

export interface Postgres15 {
  /** `postgres://` URL of the superuser, with its password. */
  url: string;
  host: "127.0.0.1";
  port: number;
  user: "postgres";
  password: string;
  log(): string;
  /** Ends its postmaster with SIGKILL; the data stay. */
  kill(): Promise<void>;
  /** Starts it again on its data and its port. */
  start(): Promise<void>;
  /** Ends it and removes its data: `SIGINT` is PostgreSQL's fast shutdown, `SIGKILL` a crash. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** A new cluster of Debian's PostgreSQL 15 in a temporary folder, over TCP on loopback with a password. */
export async function startPostgres15(settings: Readonly<Record<string, string>> = {}): Promise<Postgres15> {
  const user = await unprivilegedUser("postgres", "nobody");
  const folder = await temporaryFolder("postgres15", user);
  const data = join(folder.path, "data");
  const password = randomBytes(18).toString("base64url");
  const passwordFile = join(folder.path, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user) await chown(passwordFile, user.uid, user.gid);
  const port = await freePort();
  const options = { port: String(port), listen_addresses: "127.0.0.1", unix_socket_directories: "", ...settings };
  const flags = Object.entries(options).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  try {
    await exec(
      program("postgresql", "initdb"),
      ["-D", data, "-U", "postgres", "-A", "scram-sha-256", `--pwfile=${passwordFile}`, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
      { ...user, cwd: folder.path, timeout: 60_000 },
    );
  } catch (error) {
    await folder.remove();
    throw error;
  }
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const run = (): Server => startServer(program("postgresql", "postgres"), ["-D", data, ...flags], { cwd: folder.path, ...(user ? { user } : {}) });
  let server = run();
  const stop = async (signal: NodeJS.Signals = "SIGINT") => {
    await server.stop(signal);
    await folder.remove();
  };
  /** It refuses to start until the last process of the one before has noticed that its postmaster is gone. */
  async function start(): Promise<void> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      server = run();
      try {
        return await untilReady(server, "PostgreSQL 15", () => answers(url), 60_000);
      } catch (error) {
        if (Date.now() > deadline || !server.log().includes("is still in use")) throw error;
      }
    }
  }
  try {
    await untilReady(server, "PostgreSQL 15", () => answers(url));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, host: "127.0.0.1", port, user: "postgres", password, log: () => server.log(), kill: () => server.stop("SIGKILL"), start, stop };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}
