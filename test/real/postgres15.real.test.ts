import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Client } from "./support/client.ts";
import { expectedFindings, mainJob } from "./support/main-job.ts";
import { describeWith } from "./support/peer.ts";
import { claim, dataFolder, signIn, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { startPostgres15, type Postgres15 } from "./support/postgres15.ts";

const password = "a password for PostgreSQL 15";

/** Made by an administrator of the database server, who gives the platform no right to make roles. */
const rolesBeforehand = [
  "create role qinfra_owner nologin", "create role qinfra_app login password 'app-password'", "create role qinfra_system login bypassrls password 'system-password'",
  "create role deployer login password 'deployer-password' in role qinfra_owner", "create database fabric owner qinfra_owner",
];

describeWith(["postgresql"], "the platform on PostgreSQL 15", () => {
  const cases = [
    {
      title: "as superuser, which makes the roles",
      prepare: ["create database fabric"],
      settings: ({ url }: Postgres15) => ({ DATABASE_URL: at(url, "postgres") }),
    },
    {
      title: "as an ordinary owner, with roles made beforehand",
      prepare: rolesBeforehand,
      settings: ({ url }: Postgres15) => ({
        DATABASE_URL: at(url, "deployer", "deployer-password"), DATABASE_APP_URL: at(url, "qinfra_app", "app-password"), DATABASE_SYSTEM_URL: at(url, "qinfra_system", "system-password"),
      }),
    },
  ];

  describe.each(cases)("$title", ({ prepare, settings }) => {
    let server: Postgres15;
    let folder: Awaited<ReturnType<typeof dataFolder>>;
    let platform: RunningPlatform;
    let client: Client;
    beforeAll(async () => {
      [server, folder] = await Promise.all([startPostgres15(), dataFolder("postgres15-platform")]);
      await run(server.url, prepare);
      platform = await startPlatform(folder.path, settings(server));
      client = await claim(platform.address, "admin", platform.oneTimePassword ?? "", password);
    });
    afterAll(async () => {
      await client?.close();
      await platform?.stop();
      await server?.stop();
      await folder?.remove();
    });

    it("given the examples, when they are imported and registered, then the findings are right", async () => {
      expect((await mainJob(client)).findings).toEqual(expectedFindings);
    });

    it("given what was done, then the event log is whole", async () => {
      const verified = await vi.waitUntil(async () => {
        const answer = await client.call<{ whole: boolean; events: number; unsealed: number; problems: number }>("POST", "/api/v1/audit/verify", {});
        return answer.unsealed === 0 && answer.events > 4 ? answer : undefined;
      }, { timeout: 10_000 });
      expect(verified).toMatchObject({ whole: true, problems: 0 });
    });

    it("given its roles, then tenants are held by row level security and own nothing", async () => {
      const { rows } = await run(server.url, [`select rolname, rolsuper, rolbypassrls,
        (select count(*)::int from pg_class c where c.relowner = r.oid) as owns from pg_roles r where rolname in ('qinfra_app', 'qinfra_system') order by rolname`], "fabric");
      expect(rows).toEqual([
        { rolname: "qinfra_app", rolsuper: false, rolbypassrls: false, owns: 0 },
        { rolname: "qinfra_system", rolsuper: false, rolbypassrls: true, owns: 0 },
      ]);
    });

    it("given it runs a second time, then it finds its data", async () => {
      await platform.stop();
      platform = await startPlatform(folder.path, settings(server));
      expect(platform.oneTimePassword).toBeUndefined();
      const again = await signIn(platform.address, "admin", password);
      expect(await again.call("GET", "/api/v1/images")).toMatchObject({ items: [{ family: "web", version: "1" }] });
      await again.close();
    });
  });
});

function at(url: string, user: string, password?: string): string {
  const made = new URL(url);
  made.pathname = "/fabric";
  made.username = user;
  if (password !== undefined) made.password = password;
  return made.href;
}

async function run(url: string, statements: readonly string[], database = "postgres"): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url.replace(/[^/]*$/, database) });
  await client.connect();
  try {
    let result: pg.QueryResult | undefined;
    for (const text of statements) result = await client.query(text);
    return result as pg.QueryResult;
  } finally {
    await client.end();
  }
}
