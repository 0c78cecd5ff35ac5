import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import { startEmbeddedPostgres, type EmbeddedPostgres } from "./embedded/index.ts";
import { ensureRoles, migrate, readMigrations } from "./migrate.ts";

// A server of its own: roles belong to the whole of a server, and the other tests have theirs.
let folder: string;
let server: EmbeddedPostgres;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "qinfra-migrate-"));
  server = await startEmbeddedPostgres({ dataDir: join(folder, "postgres"), log: { info: () => undefined, warn: () => undefined }, clock: systemClock, settings: { fsync: "off" } });
}, 60_000);
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

it("given a new database, when three servers start on it at once, then one migrates and all find roles and schema there", async () => {
  const migrations = await readMigrations(join(import.meta.dirname, "../../../migrations"));
  async function start(): Promise<number> {
    const admin = new pg.Client({ ...server.connection, database: "postgres" });
    await admin.connect();
    try {
      await ensureRoles(admin, { app: "password of app", system: "password of system" });
      return (await migrate(admin, migrations)).length;
    } finally {
      await admin.end();
    }
  }
  const ran = await Promise.all([start(), start(), start()]);
  expect(ran.sort((a, b) => a - b)).toEqual([0, 0, migrations.length]);
  const app = new pg.Client({ ...server.connection, user: "qinfra_app", password: "password of app", database: "postgres" });
  await app.connect();
  await app.end();
});
