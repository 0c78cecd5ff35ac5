import { spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/platform/clock.ts";
import { DeclaredError } from "../../src/platform/errors.ts";
import { embeddedClusterExists, startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from "../../src/platform/database/embedded/index.ts";
import { folderIn, isRoot, processesOf, sweep, temporaryFolder, until, users } from "../embedded/support.ts";

const made: string[] = [];
const running: EmbeddedPostgres[] = [];
const me = users[0] ?? { title: "" };
const quiet = { info: () => undefined, warn: () => undefined };

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  sweep(made);
});

async function start(dataDir: string, options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, log: quiet, clock: systemClock, fallbackRoot: join(dataDir, "../fallback"), ...options });
  running.push(server);
  return server;
}

async function refusal(dataDir: string, options: Partial<EmbeddedPostgresOptions> = {}): Promise<DeclaredError> {
  const error: unknown = await start(dataDir, options).catch((thrown: unknown) => thrown);
  if (error instanceof DeclaredError) return error;
  throw new Error(`expected a declared error, got ${String(error)}`);
}

async function ask(server: EmbeddedPostgres, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: server.superuserUrl });
  await client.connect();
  try {
    return Object.values((await client.query(sql)).rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

/** A cluster for those who leave it as it was: making one takes most of their time. */
let sharedDataDir: string;
const kept: string[] = [];
beforeAll(async () => {
  sharedDataDir = join(temporaryFolder(me, kept), "database");
  await (await start(sharedDataDir)).stop();
  running.length = 0;
});
afterAll(() => sweep(kept));

describe("an embedded PostgreSQL", () => {
  it("is made once, keeps its data, and is closed to others", async () => {
    const dataDir = join(temporaryFolder(me, made), "database");
    expect(embeddedClusterExists(dataDir)).toBe(false);
    const first = await start(dataDir);
    expect(embeddedClusterExists(dataDir)).toBe(true);
    await ask(first, "create table kept (id int)");
    await ask(first, "insert into kept values (7)");
    expect(await ask(first, "select current_setting('data_checksums') || current_setting('listen_addresses') || current_setting('TimeZone') || current_setting('server_encoding')")).toBe("onUTCUTF8");
    expect(await ask(first, "select datlocprovider::text || datlocale from pg_database where datname = 'postgres'")).toBe("bC.UTF-8");
    expect(await ask(first, "select rolpassword like 'SCRAM-SHA-256$%' from pg_authid where rolname = 'postgres'")).toBe(true);
    expect(statSync(first.cluster).mode & 0o777).toBe(0o700);
    expect(statSync(join(first.cluster, "superuser-password")).mode & 0o777).toBe(0o600);
    expect(statSync(first.connection.host).mode & 0o777).toBe(0o700);
    expect(processesOf(first.connection.password)).toEqual([]);
    await first.stop();

    const second = await start(dataDir, { settings: { shared_buffers: "32MB" } });
    expect(await ask(second, "select id from kept")).toBe(7);
    expect(await ask(second, "select current_setting('shared_buffers')")).toBe("32MB");
    await second.stop();
    await until(() => processesOf(dataDir).length === 0, "no process of the folder is left");
  });

  it("listens on 127.0.0.1 only where that is asked for, and refuses a wrong password", async () => {
    const server = await start(sharedDataDir, { tcp: true });
    expect(server.connection.host).toBe("127.0.0.1");
    expect(await ask(server, "select inet_server_addr()::text")).toBe("127.0.0.1/32");
    const stranger = new pg.Client({ ...server.connection, password: "wrong" });
    await expect(stranger.connect()).rejects.toMatchObject({ code: "28P01" });
  });

  it("uses a short socket folder of its own where the path is too long", async () => {
    const dataDir = join(temporaryFolder(me, made), "x".repeat(90), "database");
    const server = await start(dataDir);
    const { host } = server.connection;
    expect(host.length).toBeLessThan(90);
    expect(statSync(host).mode & 0o777).toBe(0o700);
    expect(await ask(server, "select 1")).toBe(1);
    await server.stop();
    expect(existsSync(host)).toBe(false);
  });

  it("does again what was half-finished: a copy of the programs, an initdb", async () => {
    const dataDir = folderIn(temporaryFolder(me, made), "database", 0o755);
    const dead = spawnSync("true").pid;
    mkdirSync(join(dataDir, `cluster.new-${dead}-1`, "data"), { recursive: true });
    mkdirSync(join(dataDir, `binaries-18.4.0-beta.17.new-${dead}-1`, "bin"), { recursive: true });
    await (await start(dataDir)).stop();
    const binaries = readdirSync(dataDir).find((name) => name.startsWith("binaries-")) ?? "";
    truncateSync(join(dataDir, binaries, "bin/initdb"), 10);
    writeFileSync(join(dataDir, "binaries-17.0.0"), "");
    await start(dataDir);
    expect(readdirSync(dataDir).toSorted()).toEqual([binaries, "cluster", "qinfra.conf"]);
    expect(statSync(join(dataDir, binaries, "bin/initdb")).size).toBeGreaterThan(10);
  });

  it("tells of its death, once, and starts again on what is left", async () => {
    const server = await start(sharedDataDir);
    const deaths: string[] = [];
    server.onDeath((how) => deaths.push(how));
    process.kill(server.pid, "SIGKILL");
    await until(() => deaths.length > 0, "the death is told");
    const again = await start(sharedDataDir);
    expect(await ask(again, "select 1")).toBe(1);
    await again.stop();
    expect(deaths).toEqual(["SIGKILL"]);
  });

  it("starts where the lock file names another program that got the process id", async () => {
    const first = await start(sharedDataDir);
    const owner = statSync(first.cluster);
    const file = readFileSync(join(first.cluster, "data/postmaster.pid"), "utf8");
    await first.stop();
    const other = spawn("sleep", ["60"], { stdio: "ignore", ...(isRoot ? { uid: owner.uid, gid: owner.gid } : {}) });
    try {
      const path = join(first.cluster, "data/postmaster.pid");
      writeFileSync(path, file.replace(/^\d+/, String(other.pid)), { mode: 0o600 });
      chownSync(path, owner.uid, owner.gid);
      const second = await start(sharedDataDir);
      expect(await ask(second, "select 1")).toBe(1);
      expect(other.exitCode ?? other.signalCode).toBeNull();
    } finally {
      other.kill("SIGKILL");
    }
  });

  it("refuses a second server on one folder, naming the first", async () => {
    const server = await start(sharedDataDir);
    const error = await refusal(sharedDataDir);
    expect(error.type.code).toBe("postgres-already-running");
    expect(error.message).toContain(`process ${process.pid} (its PostgreSQL is process ${server.pid})`);
    expect(await ask(server, "select 1")).toBe(1);
  });

  it("refuses a cluster of another version, naming both", async () => {
    const server = await start(sharedDataDir);
    await server.stop();
    const path = join(server.cluster, "data/PG_VERSION");
    const version = readFileSync(path);
    writeFileSync(path, "17\n");
    const error = await refusal(sharedDataDir);
    writeFileSync(path, version);
    expect(error.type.code).toBe("postgres-wrong-version");
    expect(error.message).toMatch(/made by PostgreSQL 17, and this program brings 18.*pg_dumpall/);
  });

  it.skipIf(!isRoot)("refuses a cluster that belongs to root (needs root to make one)", async () => {
    const dataDir = folderIn(temporaryFolder(me, made), "database", 0o755);
    mkdirSync(join(dataDir, "cluster"));
    const error = await refusal(dataDir);
    expect(error.type.code).toBe("postgres-foreign-owner");
    expect(error.message).toContain("chown -R");
  });

  it.skipIf(!isRoot)("keeps the database elsewhere where its user cannot enter the folder, and stays there (needs root)", async () => {
    const parent = temporaryFolder(me, made, 0o755);
    const home = folderIn(parent, "home", 0o700);
    const fallbackRoot = join(parent, "var");
    const first = await start(join(home, "database"), { fallbackRoot });
    expect(first.cluster.startsWith(fallbackRoot)).toBe(true);
    await first.stop();
    chmodSync(home, 0o755);
    const second = await start(join(home, "database"), { fallbackRoot });
    expect(second.cluster).toBe(first.cluster);
    expect(embeddedClusterExists(join(home, "database"))).toBe(true);
  });

  const small = isRoot && process.platform === "linux" ? temporaryMount() : undefined;
  it.skipIf(small === undefined)("says that the disk is full, and keeps nothing (needs root that may mount a small file system)", async () => {
    const folder = temporaryFolder(me, made);
    for (const size of ["20m", "70m"]) {
      expect(spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=755`, "tmpfs", folder]).status).toBe(0);
      try {
        const error = await refusal(join(folder, "database"));
        expect(error.type.code, error.message).toBe("postgres-disk-full");
        expect(readdirSync(join(folder, "database")).filter((name) => name.includes(".new-"))).toEqual([]);
      } finally {
        spawnSync("umount", ["-l", folder]);
      }
    }
  });

  it.skipIf(small === undefined)("says that a file system is read-only (needs root that may mount one)", async () => {
    const folder = temporaryFolder(me, made);
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m,ro", "tmpfs", folder]);
    try {
      const error = await refusal(join(folder, "database"));
      expect(error.type.code).toBe("postgres-not-writable");
      expect(error.message).toContain(folder);
    } finally {
      spawnSync("umount", ["-l", folder]);
    }
  });
});

function temporaryMount(): true | undefined {
  const folder = temporaryFolder(me, []);
  const can = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]).status === 0;
  if (can) spawnSync("umount", [folder]);
  rmSync(folder, { recursive: true, force: true });
  return can || undefined;
}
