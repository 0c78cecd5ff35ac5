import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import pg from "pg";
import { startEmbeddedPostgres } from "../database/embedded/index.ts";
import { ensureRoles, migrate, readMigrations } from "../database/migrate.ts";
import { systemClock } from "../clock.ts";
import { migrateDbos } from "../workflow/engines/dbos/schema.ts";
import { startPgBouncer } from "./pgbouncer.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Connection to the test cluster as its superuser; each suite clones the template database. */
    postgres: { host: string; port: number; user: string; password: string; pooler?: { host: string; port: number } } | { error: string };
  }
}

export const templateName = "qinfra_template";
export const testPasswords = { app: "app-password-of-the-tests", system: "system-password-of-the-tests" };

/** Path of a PgBouncer, where the platform's connections are to go through one. */
export const poolerVariable = "QINFRA_TEST_PGBOUNCER";

/** Starts one PostgreSQL for the whole run and migrates the template database. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), "qinfra-test-"));
  // As root the database runs as another user, who has to get in here; otherwise it would move elsewhere and stay.
  await chmod(directory, 0o711);
  const server = await startEmbeddedPostgres({ dataDir: join(directory, "postgres"), log: { info: () => undefined, warn: () => undefined }, clock: systemClock, settings: { fsync: "off", full_page_writes: "off", wal_level: "minimal", max_wal_senders: "0", max_connections: "300" } });
  const { host, port, user, password } = server.connection;
  const admin = new pg.Client({ host, port, user, password, database: "postgres" });
  await admin.connect();
  await admin.query(`create database ${templateName}`);
  await admin.end();
  const template = new pg.Client({ host, port, user, password, database: templateName });
  await template.connect();
  await ensureRoles(template, testPasswords);
  await migrate(template, await readMigrations(join(import.meta.dirname, "../../../migrations")));
  await migrateDbos(template, { host, port, user, password, database: templateName }, new URL("../workflow/testing/thread.ts", import.meta.url));
  await template.end();
  const program = process.env[poolerVariable];
  const pooler = program === undefined ? undefined : await startPgBouncer({
    program, folder: join(directory, "pgbouncer"), server: { host, port }, lookup: { user, password },
    // In every database, because each suite has one of its own; the shipped query needs a function there.
    settings: { auth_query: "select usename, passwd from pg_shadow where usename = $1" },
    probe: { user: "qinfra_app", password: testPasswords.app, database: "postgres" },
  });
  project.provide("postgres", { host, port, user, password, ...(pooler === undefined ? {} : { pooler: { host: pooler.host, port: pooler.port } }) });
  return async () => {
    if (pooler !== undefined) {
      process.stdout.write(`PgBouncer: ${await pooler.transactions()} transactions\n`);
      await pooler.stop();
    }
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
