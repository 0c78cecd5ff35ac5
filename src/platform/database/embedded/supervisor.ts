import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { Clock } from "../../clock.ts";
import { DeclaredError } from "../../errors.ts";
import { findBinaryPackage, installBinaries, removeOldBinaries, type Binaries } from "./binaries.ts";
import { ensureCluster, readPassword, superuser } from "./cluster.ts";
import { configurationFile, configurationName, type Settings } from "./configuration.ts";
import { fileError, StartFailed } from "./errors.ts";
import { locate, type Location } from "./location.ts";
import { alreadyRunning, launchPostmaster, pruneLogs, startError, type Listening, type Postmaster } from "./postmaster.ts";
import { disownPid, inspectPostmaster, readPostmasterFile, removeSocketLock } from "./postmaster-pid.ts";
import { processToken } from "./process-identity.ts";
import { removeSocketDir, socketDir, type SocketDir } from "./socket-dir.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

/** The part of a pino logger that is used. */
export interface EmbeddedPostgresLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

export interface EmbeddedPostgresOptions {
  /** Made where it is missing; `cluster/` and `binaries-<version>/` lie in it. */
  dataDir: string;
  log: EmbeddedPostgresLog;
  clock: Clock;
  /** Settings of postgresql.conf beside or instead of the default ones. */
  settings?: Settings;
  /** Listen on a free port of 127.0.0.1 too, for programs that cannot use the socket. */
  tcp?: boolean;
  /** How long a start may take without any sign of recovery going on. */
  startTimeoutMs?: number;
  /** Holds the folder that stands in for a data folder which PostgreSQL's user cannot enter. */
  fallbackRoot?: string;
  newPassword?: () => string;
}

export interface Connection {
  /** The socket folder, or 127.0.0.1 where `tcp` was asked for. */
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}

export interface EmbeddedPostgres {
  /** As the superuser. */
  connection: Connection;
  /** The same as one URL. It holds the password: never log it. */
  superuserUrl: string;
  /** Process id of the postmaster. */
  pid: number;
  /** Where the cluster lies. */
  cluster: string;
  /** Ends all sessions and stops the server; at most about 40 s. May be called again. */
  stop(): Promise<void>;
  /** Called once when the server ends without `stop`, with how it ended. */
  onDeath(callback: (how: string) => void): void;
}

/** The port is part of the socket's name only. */
const socketPort = 5432;

/**
 * Starts PostgreSQL on a folder, which it makes where there is none, and keeps it for the life of this process.
 * @throws DeclaredError one of ./errors.ts, whose detail names the path and the way out
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, clock } = options;
  const began = clock.now();
  const source = await findBinaryPackage();
  const place = locate(options.dataDir, options.fallbackRoot ?? "/var/lib/qinfra");
  if (place.moved) log.info({ dataDir: options.dataDir, home: place.home, user: place.user.name }, `The database lies in ${place.home}, because ${place.user.name}, as whom PostgreSQL runs, cannot enter ${options.dataDir}`);
  if (!existsSync(place.cluster)) log.info({ cluster: place.cluster, user: place.user.name }, "Creating the database");
  const binaries = await installBinaries(source, place.home);
  const created = await ensureCluster(place, binaries, source.major, options.newPassword ?? (() => randomBytes(24).toString("base64url")));
  const running = await start(place, binaries, options);
  await removeOldBinaries(source, place.home).catch(() => undefined);
  log.info({ pid: running.pid, version: source.version, created, user: place.user.name, ms: Math.round(clock.now() - began) }, "PostgreSQL is ready");
  return running;
}

async function start(place: Location, binaries: Binaries, options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  await endEarlierServer(place, options.log);
  writeConfiguration(place, options.settings ?? {});
  pruneLogs(place);
  const password = readPassword(place);
  for (let attempt = 1; ; attempt += 1) {
    const port = options.tcp === true ? await freePort() : socketPort;
    const sockets = socketDir(place.cluster, port, place.user);
    const server = await launch(place, binaries, { socketDir: sockets.path, port, tcp: options.tcp === true }, sockets);
    const connection = { host: options.tcp === true ? "127.0.0.1" : sockets.path, port, user: superuser, password, database: "postgres" };
    const failure = await becomeReady(place, server.postmaster, connection, options);
    if (failure === undefined) return supervise(place, server, connection, options.log);
    await halt(server);
    // The backends of a server that was killed end by themselves soon; a free port may be taken in between.
    const passing = /pre-existing shared memory block|could not bind|Address already in use/.test(server.postmaster.said());
    if (!passing || attempt === 20) throw failure;
    await delay(250);
  }
}

/** A server that is left from a program that is gone is stopped, never adopted: it would be nobody's child. */
async function endEarlierServer(place: Location, log: EmbeddedPostgresLog): Promise<void> {
  const data = join(place.cluster, "data");
  const deadline = AbortSignal.timeout(45_000);
  for (let asked: number | undefined; ; await delay(10)) {
    const found = inspectPostmaster(data);
    if (found.state === "none") return;
    if (found.state === "stale") {
      if (found.reused) {
        disownPid(data);
        removeSocketLock(join(place.cluster, "socket"), socketPort, found.pid);
      }
      return;
    }
    if (found.ownerPid !== undefined || found.owner === undefined) throw alreadyRunning(place, found.pid, found.ownerPid);
    if (deadline.aborted) throw new DeclaredError(StartFailed, `PostgreSQL (process ${found.pid}) was left by a program that ended, and does not stop. End it with kill -QUIT ${found.pid} and start again.`, { pid: found.pid });
    if (asked === found.pid) continue;
    asked = found.pid;
    log.warn({ pid: found.pid }, `Stopping PostgreSQL (process ${found.pid}), left by a program that ended`);
    signal(found.pid, "SIGINT");
  }
}

interface Server {
  postmaster: Postmaster;
  watchdog: Watchdog;
  sockets: SocketDir;
}

async function launch(place: Location, binaries: Binaries, listening: Listening, sockets: SocketDir): Promise<Server> {
  const owner = processToken(process.pid) ?? String(process.pid);
  const data = join(place.cluster, "data");
  const watchdog = startWatchdog({ data, owner, socketDirToRemove: sockets.temporary ? sockets.path : undefined, user: place.user });
  const postmaster = launchPostmaster(place, binaries, listening, owner);
  watchdog.guard(postmaster.pid);
  return { postmaster, watchdog, sockets };
}

/** Undefined once a query was answered, else why none will be. */
async function becomeReady(place: Location, postmaster: Postmaster, connection: Connection, options: EmbeddedPostgresOptions): Promise<DeclaredError | undefined> {
  const limit = options.startTimeoutMs ?? 300_000;
  const deadline = AbortSignal.timeout(limit);
  let lastWord = options.clock.now();
  while (!deadline.aborted) {
    if (postmaster.hasEnded()) {
      await delay(20); // the last of its words may still be in the pipe
      return startError(place, await postmaster.ended, postmaster.said());
    }
    const file = readPostmasterFile(join(place.cluster, "data"));
    if (file?.pid === postmaster.pid && file.status === "ready" && (await answers(connection))) return undefined;
    if (options.clock.now() - lastWord > 5_000) {
      lastWord = options.clock.now();
      options.log.info({ pid: postmaster.pid }, "PostgreSQL is recovering; this takes as long as its log is");
    }
    await delay(5);
  }
  return new DeclaredError(StartFailed, `PostgreSQL in ${place.cluster} did not answer within ${limit / 1000} s. Its log is in ${join(place.cluster, "log")}.`, { path: place.cluster });
}

async function answers(connection: Connection): Promise<boolean> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: 5_000, query_timeout: 5_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } catch (error) {
    // 57P03: still starting, or already stopping. 28xxx never gets better.
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code.startsWith("28")) throw new DeclaredError(StartFailed, `PostgreSQL refuses the superuser's password of the file superuser-password beside its data (${code}). Restore that file from a backup.`, undefined, error);
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function supervise(place: Location, server: Server, connection: Connection, log: EmbeddedPostgresLog): EmbeddedPostgres {
  let stopping: Promise<void> | undefined;
  let death: string | undefined;
  const callbacks: ((how: string) => void)[] = [];
  const pruning = setInterval(() => pruneLogs(place), 60_000).unref();
  server.postmaster.child.unref();
  void server.postmaster.ended.then((how) => {
    clearInterval(pruning);
    server.watchdog.release();
    removeSocketDir(server.sockets);
    if (stopping !== undefined) return;
    death = how;
    log.warn({ pid: server.postmaster.pid, how }, `PostgreSQL ended by itself (${how}); its log is in ${join(place.cluster, "log")}`);
    for (const callback of callbacks) callback(how);
  });
  return {
    connection,
    superuserUrl: connectionUrl(connection),
    pid: server.postmaster.pid,
    cluster: place.cluster,
    stop: () => (stopping ??= halt(server)),
    onDeath(callback) {
      if (death === undefined) callbacks.push(callback);
      else callback(death);
    },
  };
}

/** Fast shutdown, then immediate, then none. */
async function halt(server: Server): Promise<void> {
  const { postmaster } = server;
  postmaster.child.ref();
  for (const [name, ms] of [["SIGINT", 30_000], ["SIGQUIT", 8_000], ["SIGKILL", 2_000]] as const) {
    if (postmaster.hasEnded()) break;
    postmaster.kill(name);
    const patience = new AbortController();
    await Promise.race([postmaster.ended, delay(ms, undefined, { signal: patience.signal }).catch(() => undefined)]);
    patience.abort();
  }
  server.watchdog.release();
  removeSocketDir(server.sockets);
}

function writeConfiguration(place: Location, settings: Settings): void {
  const path = join(place.home, configurationName);
  const wanted = configurationFile(settings);
  try {
    if (existsSync(path) && readFileSync(path, "utf8") === wanted) return;
    writeFileSync(path, wanted, { mode: 0o644 });
    chmodSync(path, 0o644);
  } catch (error) {
    throw fileError(error, path) ?? error;
  }
}

/** The connection as a URL that pg and libpq read; a socket folder goes into `host`. */
export function connectionUrl({ host, port, user, password, database }: Connection): string {
  const who = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  if (!host.startsWith("/")) return `postgres://${who}@${host}:${port}/${database}`;
  return `postgres://${who}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in the meantime.
  }
}
