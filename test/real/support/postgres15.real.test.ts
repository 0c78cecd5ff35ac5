import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "./peer.ts";
import { startPostgres15, type Postgres15 } from "./postgres15.ts";

describeWith(["postgresql"], "startPostgres15", () => {
  let server: Postgres15;
  beforeAll(async () => {
    server = await startPostgres15({ max_connections: "33" });
  });
  afterAll(() => server.stop());

  it("given its URL, then PostgreSQL 15 answers with the given settings", async () => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    try {
      const { rows } = await client.query<{ version: number; max: string; encoding: string }>(
        "select current_setting('server_version_num')::int as version, current_setting('max_connections') as max, current_setting('server_encoding') as encoding",
      );
      expect(Math.floor((rows[0]?.version ?? 0) / 10_000)).toBe(15);
      expect(rows[0]).toMatchObject({ max: "33", encoding: "UTF8" });
    } finally {
      await client.end();
    }
  });

  it("given a wrong password, then it refuses", async () => {
    const client = new pg.Client({ host: server.host, port: server.port, user: server.user, password: "wrong", database: "postgres" });
    await expect(client.connect()).rejects.toThrow("password authentication failed");
  });

  it("given a setting that it does not know, then the start fails with its own words", async () => {
    await expect(startPostgres15({ no_such_setting: "1" })).rejects.toThrow("no_such_setting");
  });
});
