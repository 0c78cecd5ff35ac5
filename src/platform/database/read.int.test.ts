import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pino } from "pino";
import { testDatabase, type TestDatabase } from "../testing/database.ts";
import { openDatabase, type Database, type Db } from "./database.ts";
import { sql } from "./sql.ts";

let test: TestDatabase;
const [mine, theirs, third] = [randomUUID(), randomUUID(), randomUUID()];
beforeAll(async () => {
  test = await testDatabase();
  for (const orgId of [mine, theirs]) {
    await test.database.tenant(orgId, (db) => db.run(sql`insert into inventory.sites (org_id, id, name, created_at) values (${orgId}, ${randomUUID()}, ${`site of ${orgId}`}, now())`));
  }
});
afterAll(() => test.close());

const sites = async (db: Db): Promise<string[]> => (await db.many<{ name: string }>(sql`select name from inventory.sites`)).map(({ name }) => name);
const settingOf = async (db: Db): Promise<string> => (await db.one<{ org: string }>(sql`select current_setting('app.org_id', true) as org`)).org;

describe.each([["sessions", true], ["transactions, as behind a pooler", false]])("reads in %s", (_title, sessions) => {
  let database: Database;
  beforeAll(() => {
    // One connection, so that everybody gets the one that somebody else had before.
    const urls = sessions ? { app: test.config("qinfra_app"), system: test.config("qinfra_system") } : test.urls;
    database = openDatabase(urls, { ...test.options, poolSize: 1, preparedStatements: sessions });
  });
  afterAll(() => database.close());

  it("given one connection that organizations share in turns, then each sees its own rows and no other", async () => {
    for (const orgId of [mine, theirs, third, mine, mine, third, theirs]) {
      expect(await database.read(orgId, sites)).toEqual(orgId === third ? [] : [`site of ${orgId}`]);
    }
  });

  it("given reads and transactions of many organizations at once, then none sees another's rows", async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, async (_, i) => {
      const orgId = [mine, theirs, third][i % 3] as string;
      const door = i % 2 === 0 ? database.read : database.tenant;
      return { orgId, seen: await door(orgId, sites), setting: await door(orgId, settingOf) };
    }));
    for (const { orgId, seen, setting } of answers) {
      expect(seen).toEqual(orgId === third ? [] : [`site of ${orgId}`]);
      expect(setting).toBe(orgId);
    }
  });

  it("given a transaction of another organization that fails, then the next read is the reader's own", async () => {
    await database.read(mine, sites);
    await expect(database.tenant(theirs, (db) => db.run(sql`select 1 / 0`))).rejects.toThrow("division by zero");
    expect(await database.read(mine, sites)).toEqual([`site of ${mine}`]);
  });

  it("given a read that fails, then the connection serves the next organization", async () => {
    await expect(database.read(mine, (db) => db.run(sql`select 1 / 0`))).rejects.toThrow("division by zero");
    expect(await database.read(theirs, sites)).toEqual([`site of ${theirs}`]);
  });

  it("given a read that changes something, then it is refused, and a transaction after it is not", async () => {
    const insert = (db: Db) => db.run(sql`insert into inventory.sites (org_id, id, name, created_at) values (${third}, ${randomUUID()}, 'made', now())`);
    const remove = (db: Db) => db.run(sql`delete from inventory.sites`);
    await expect(database.read(third, insert)).rejects.toThrow("read-only transaction");
    expect(await database.tenant(third, insert)).toBe(1);
    expect(await database.tenant(third, remove)).toBe(1);
  });

  it("given a statement that nobody waited for, when its turn comes after the connection is somebody else's, then it is refused", async () => {
    let straggler: Db | undefined;
    await database.read(mine, async (db) => {
      straggler = db;
    });
    await expect(straggler?.run(sql`select 1`)).rejects.toThrow("not waited for");
  });

  it("given an organization's id that is no UUID, then nothing is sent", async () => {
    await expect(database.read("x'; reset role; --", sites)).rejects.toThrow("not a UUID");
    expect(await database.read(mine, sites)).toEqual([`site of ${mine}`]);
  });
});

it("given a connection whose backend was ended, then the next read has another one and its own rows", async () => {
  const database = openDatabase({ app: test.config("qinfra_app"), system: test.config("qinfra_system") }, { poolSize: 1, log: pino({ level: "silent" }), preparedStatements: true });
  const superuser = await test.connect("superuser");
  try {
    const { pid } = await database.read(mine, (db) => db.one<{ pid: number }>(sql`select pg_backend_pid() as pid`));
    await superuser.query("select pg_terminate_backend($1, 5000)", [pid]);
    const seen = await database.read(theirs, sites).catch(() => database.read(theirs, sites));
    expect(seen).toEqual([`site of ${theirs}`]);
  } finally {
    await superuser.end();
    await database.close();
  }
});

it("given a snapshot, then its statements see one moment, whatever is committed meanwhile", async () => {
  const database = openDatabase(test.urls, { ...test.options, poolSize: 2 });
  const org = randomUUID();
  const insert = (db: Db) => db.run(sql`insert into inventory.sites (org_id, id, name, created_at) values (${org}, ${randomUUID()}, ${randomUUID()}, now())`);
  try {
    await database.tenant(org, insert);
    const seen = await database.snapshot(org, async (db) => {
      const before = await sites(db);
      await database.tenant(org, insert);
      return { before: before.length, after: (await sites(db)).length };
    });
    expect(seen).toEqual({ before: 1, after: 1 });
    expect(await database.read(org, sites)).toHaveLength(2);
    await expect(database.snapshot(org, insert)).rejects.toThrow("read-only transaction");
  } finally {
    await database.close();
  }
});
