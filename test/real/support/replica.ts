import { execFile } from "node:child_process";
import { chown } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { program } from "./peer.ts";
import type { Postgres15 } from "./postgres15.ts";
import { freePort, startServer, temporaryFolder, unprivilegedUser, untilReady, type Server } from "./process.ts";

export interface Replica {
  host: "127.0.0.1";
  port: number;
  /** Ends it; `start` brings it back on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  remove(): Promise<void>;
}

/** A streaming replica of that server, copied by pg_basebackup. */
export async function startReplica(primary: Postgres15): Promise<Replica> {
  const user = await unprivilegedUser("postgres", "nobody");
  const folder = await temporaryFolder("replica", user);
  if (user) await chown(folder.path, user.uid, user.gid);
  const data = join(folder.path, "data");
  const port = await freePort();
  await promisify(execFile)(
    join(program("postgresql", "initdb"), "../pg_basebackup"),
    ["-D", data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-h", primary.host, "-p", String(primary.port), "-U", primary.user],
    { ...user, cwd: folder.path, timeout: 60_000, env: { PATH: process.env["PATH"] ?? "", PGPASSWORD: primary.password } },
  );
  let server: Server | undefined;
  const replica: Replica = {
    host: "127.0.0.1", port,
    async start() {
      server = startServer(program("postgresql", "postgres"), ["-D", data, "-c", `port=${port}`, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"], { cwd: folder.path, ...(user ? { user } : {}) });
      await untilReady(server, "the replica", () => answers({ host: "127.0.0.1", port, user: primary.user, password: primary.password, database: "postgres" }));
    },
    async stop() {
      await server?.stop("SIGINT");
    },
    async remove() {
      await replica.stop();
      await folder.remove();
    },
  };
  await replica.start();
  return replica;
}

async function answers(config: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client({ ...config, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return (await client.query<{ standby: boolean }>("select pg_is_in_recovery() as standby")).rows[0]?.standby === true;
  } finally {
    await client.end().catch(() => undefined);
  }
}
