import { spawn } from "node:child_process";
import { chown, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { chooseRunUser, credentials } from "../database/embedded/run-user.ts";

export interface PgBouncer {
  host: string;
  port: number;
  log(): string;
  /** Transactions that went through it so far, of all databases. */
  transactions(): Promise<number>;
  stop(): Promise<void>;
}

export interface PgBouncerOptions {
  /** Absolute path of the program. */
  program: string;
  /** An empty folder of its own, which its user can reach. */
  folder: string;
  /** What it forwards to: every database of that server under its own name. */
  server: { host: string; port: number };
  /** The role that `auth_query` runs as, which is in the file of users. */
  lookup: { user: string; password: string };
  /** Instead of what the shipped configuration says. */
  settings?: Readonly<Record<string, string>>;
  /** A connection that works once it is up. */
  probe: { user: string; password: string; database: string };
}

/** The configuration that is shipped, with other places. */
async function configuration(more: Readonly<Record<string, string>>, databases: string): Promise<string> {
  const shipped = await readFile(join(import.meta.dirname, "../../../deploy/pgbouncer/pgbouncer.ini"), "utf8");
  const settings = { ...more };
  const lines = shipped.split("\n").map((line) => {
    const name = /^([a-z_]+) =/.exec(line)?.[1];
    if (name === "qinfra") return databases;
    const value = name === undefined ? undefined : settings[name];
    if (name === undefined || value === undefined) return line;
    delete settings[name];
    return `${name} = ${value}`;
  });
  return [...lines, ...Object.entries(settings).map(([name, value]) => `${name} = ${value}`), ""].join("\n");
}

/** Starts a PgBouncer with the shipped configuration on a free port of loopback. */
export async function startPgBouncer({ program, folder, server, lookup, settings = {}, probe }: PgBouncerOptions): Promise<PgBouncer> {
  const user = chooseRunUser(join(folder, "none"));
  const port = await freePort();
  const users = join(folder, "userlist.txt");
  const file = join(folder, "pgbouncer.ini");
  await mkdir(folder, { recursive: true });
  await writeFile(users, `"${lookup.user}" "${lookup.password}"\n`, { mode: 0o600 });
  await writeFile(file, await configuration({ listen_addr: "127.0.0.1", listen_port: String(port), auth_file: users, auth_user: lookup.user, stats_users: lookup.user, ...settings }, `* = host=${server.host} port=${server.port}`), { mode: 0o600 });
  for (const path of [folder, users, file]) if (user.uid !== undefined && user.gid !== undefined) await chown(path, user.uid, user.gid);
  const child = spawn(program, [file], { ...credentials(user), cwd: folder, env: { LC_ALL: "C.UTF-8" }, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (log = (log + text).slice(-65_536)));
  let ended = false;
  const end = new Promise<void>((resolve) => {
    child.once("error", (error) => (log += error.message));
    child.once("close", () => {
      ended = true;
      resolve();
    });
  });
  process.once("exit", () => void child.kill("SIGKILL"));
  for (const deadline = Date.now() + 20_000; !(await answers({ host: "127.0.0.1", port, ...probe })); await delay(25)) {
    if (ended || Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`PgBouncer did not come up:\n${log}`);
    }
  }
  return {
    host: "127.0.0.1", port, log: () => log,
    async transactions() {
      const console = new pg.Client({ host: "127.0.0.1", port, ...lookup, database: "pgbouncer" });
      await console.connect();
      try {
        // The console knows the simple protocol only.
        const { rows } = await console.query<{ xact_count: string }>("show stats_totals");
        return rows.reduce((sum, row) => sum + Number(row.xact_count), 0);
      } finally {
        await console.end();
      }
    },
    async stop() {
      child.kill("SIGINT");
      const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await end;
      clearTimeout(timer);
    },
  };
}

async function answers(config: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client({ ...config, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
