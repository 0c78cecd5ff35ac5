import { randomUUID } from "node:crypto";
import { join } from "node:path";
import pg from "pg";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { openDatabase, type Database, type Db } from "../../src/platform/database/database.ts";
import { ensureRoles, migrate, readMigrations } from "../../src/platform/database/migrate.ts";
import { sql } from "../../src/platform/database/sql.ts";
import { describeWith } from "./support/peer.ts";
import { dataFolder, root, startPlatform } from "./support/platform.ts";
import { startPostgres15, type Postgres15 } from "./support/postgres15.ts";
import { startReplica, type Replica } from "./support/replica.ts";

const passwords = { app: "an app password", system: "a system password" };
const [mine, theirs] = [randomUUID(), randomUUID()];

/** Where a read ran, and the names of sites that it saw. */
const seen = async (db: Db): Promise<{ standby: boolean; sites: string[] }> => ({
  standby: (await db.one<{ standby: boolean }>(sql`select pg_is_in_recovery() as standby`)).standby,
  sites: (await db.many<{ name: string }>(sql`select name from inventory.sites order by name`)).map(({ name }) => name),
});

describeWith(["postgresql"], "a streaming replica", () => {
  let primary: Postgres15;
  let replica: Replica;
  let database: Database;
  let standby: pg.Client;
  beforeAll(async () => {
    primary = await startPostgres15();
    const admin = await connect("postgres");
    await admin.query("create database fabric");
    await admin.end();
    const fabric = await connect("fabric");
    await ensureRoles(fabric, passwords);
    await migrate(fabric, await readMigrations(join(root, "migrations")));
    await fabric.end();
    replica = await startReplica(primary);
    standby = await connect("fabric", replica.port);
    database = open(replica.port);
    await add(mine, "a site of mine");
    await add(theirs, "a site of theirs");
  });
  afterAll(async () => {
    await standby?.end().catch(() => undefined);
    await database?.close();
    await replica?.remove();
    await primary?.stop();
  });
  beforeEach(async () => {
    await vi.waitUntil(async () => (await database.replica(mine, seen)).value.standby, { timeout: 20_000, interval: 100 });
  });

  async function connect(name: string, port = primary.port): Promise<pg.Client> {
    const client = new pg.Client({ host: primary.host, port, user: primary.user, password: primary.password, database: name });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  function open(replicaPort: number): Database {
    const role = (user: string, password: string, port = primary.port): pg.ClientConfig => ({ host: "127.0.0.1", port, user, password, database: "fabric" });
    return openDatabase({ app: role("qinfra_app", passwords.app), system: role("qinfra_system", passwords.system), replica: role("qinfra_app", passwords.app, replicaPort) },
      { poolSize: 4, log: pino({ level: "silent" }), preparedStatements: true });
  }

  const add = (orgId: string, name: string, into = database): Promise<number> =>
    into.tenant(orgId, (db) => db.run(sql`insert into inventory.sites (org_id, id, name, created_at) values (${orgId}, ${randomUUID()}, ${name}, now())`));

  it("given it has all, then it answers, says how old it may be, and holds each organization to its rows", async () => {
    for (const [orgId, name] of [[mine, "a site of mine"], [theirs, "a site of theirs"], [mine, "a site of mine"]] as const) {
      const { value, staleSeconds } = await vi.waitUntil(async () => {
        const answer = await database.replica(orgId, seen);
        return answer.value.standby ? answer : undefined;
      }, { timeout: 10_000 });
      expect(value.sites).toEqual([name]);
      expect(staleSeconds).toBeGreaterThanOrEqual(1);
      expect(staleSeconds).toBeLessThan(30);
    }
    expect((await database.replica(randomUUID(), seen)).value).toEqual({ standby: true, sites: [] });
    expect(database.replicaStatus()).toMatchObject({ state: "ok" });
  });

  it("given a change, then who asks next sees it, from the primary until the replica has it", async () => {
    await add(mine, "another of mine");
    const { value, staleSeconds } = await database.replica(mine, seen);
    expect(value.sites).toContain("another of mine");
    if (!value.standby) expect(staleSeconds).toBe(0);
    await vi.waitUntil(async () => (await database.replica(mine, seen)).value.standby, { timeout: 10_000 });
    expect((await database.replica(mine, seen)).value.sites).toContain("another of mine");
  });

  it("given a read that changes something, then it is refused", async () => {
    await expect(database.replica(mine, (db) => db.run(sql`delete from inventory.sites`))).rejects.toThrow("read-only");
  });

  it("given the primary is idle for a while, then the replica does not look old", async () => {
    const sinceLastChange = async (): Promise<number> => Number((await standby.query<{ s: number }>("select extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) as s")).rows[0]?.s);
    await vi.waitUntil(async () => (await sinceLastChange()) > 6, { timeout: 30_000, interval: 200 });
    expect(database.replicaStatus().state).toBe("ok");
    expect(database.replicaStatus().staleSeconds).toBeLessThanOrEqual(3);
  });

  it("given replay stands still, then it grows old, and past the limit the primary answers", async () => {
    await standby.query("select pg_wal_replay_pause()");
    try {
      await add(theirs, "made while it stood still");
      const old = await vi.waitUntil(async () => {
        const answer = await database.replica(mine, seen);
        return answer.value.standby && answer.staleSeconds >= 4 ? answer : undefined;
      }, { timeout: 30_000, interval: 200 });
      expect(old.value.sites).toContain("a site of mine");
      // Who made the change sees it all the while.
      expect((await database.replica(theirs, seen)).value).toEqual({ standby: false, sites: ["a site of theirs", "made while it stood still"] });
      const given = await vi.waitUntil(async () => {
        const answer = await database.replica(mine, seen);
        return answer.value.standby ? undefined : answer;
      }, { timeout: 50_000, interval: 200 });
      expect(given.staleSeconds).toBe(0);
      expect(database.replicaStatus()).toMatchObject({ state: "behind" });
      expect(database.replicaStatus().staleSeconds).toBeGreaterThan(29);
    } finally {
      await standby.query("select pg_wal_replay_resume()");
    }
  }, 120_000);

  it("given it ends, then the primary answers at once, and it is read again when it is back", async () => {
    await replica.stop();
    for (let i = 0; i < 5; i++) {
      const { value, staleSeconds } = await database.replica(mine, seen);
      expect(value.sites).toContain("a site of mine");
      expect({ standby: value.standby, staleSeconds }).toEqual({ standby: false, staleSeconds: 0 });
    }
    await vi.waitUntil(() => database.replicaStatus().state === "does not answer", { timeout: 10_000 });
    await replica.start();
    standby = await connect("fabric", replica.port);
    await vi.waitUntil(async () => (await database.replica(mine, seen)).value.standby, { timeout: 20_000, interval: 100 });
  });

  it("given the primary itself or another database is named as replica, then it is not read", async () => {
    const wrong = open(primary.port);
    try {
      await vi.waitUntil(() => wrong.replicaStatus().state === "not a replica of this database", { timeout: 10_000 });
      expect(await wrong.replica(mine, seen)).toMatchObject({ value: { standby: false }, staleSeconds: 0 });
    } finally {
      await wrong.close();
    }
  });

  it("given DATABASE_READ_URL, then the platform uses it with its own roles, and says on /readyz how it is", async () => {
    const folder = await dataFolder("replica-platform");
    const admin = await connect("postgres");
    await admin.query("create database second");
    await admin.end();
    const url = (port: number, user: string, password: string): string => `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${port}/second`;
    const platform = await startPlatform(folder.path, { DATABASE_URL: url(primary.port, primary.user, primary.password), DATABASE_READ_URL: url(replica.port, "not", "used") });
    try {
      const checks = async (): Promise<Record<string, string>> => ((await (await fetch(`${platform.address}/readyz`)).json()) as { checks: Record<string, string> }).checks;
      await vi.waitUntil(async () => (await checks())["replica"] === "ok", { timeout: 20_000, interval: 200 });
      await replica.stop();
      await vi.waitUntil(async () => (await checks())["replica"]?.includes("reads go to the primary"), { timeout: 20_000, interval: 200 });
      expect((await fetch(`${platform.address}/readyz`)).ok).toBe(true);
    } finally {
      await platform.stop();
      await folder.remove();
    }
  }, 180_000);
});
