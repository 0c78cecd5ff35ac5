import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import pg from "pg";
import { pino } from "pino";
import { openDatabase, type Database, type DatabaseOptions, type DatabaseUrls } from "../database/database.ts";
import { templateName, testPasswords } from "./global-postgres.ts";

export interface TestDatabase {
  database: Database;
  /** Connections as each role, and as the superuser for what only a test may do (tampering, catalogue queries). */
  connect(role: "qinfra_app" | "qinfra_system" | "superuser"): Promise<pg.Client>;
  config(role: "qinfra_app" | "qinfra_system" | "superuser"): pg.ClientConfig;
  /** How `database` is opened: through a pooler, where the suites run through one. */
  urls: DatabaseUrls;
  options: DatabaseOptions;
  close(): Promise<void>;
}

/** A database of its own, cloned from the migrated template; `close` drops it. */
export async function testDatabase(): Promise<TestDatabase> {
  const cluster = inject("postgres");
  if ("error" in cluster) throw new Error(cluster.error);
  const name = `t_${randomBytes(6).toString("hex")}`;
  const admin = new pg.Client({ ...cluster, database: "postgres" });
  await admin.connect();
  // Copying files is ten times as fast as writing each page to the log, which the default does.
  await admin.query(`create database ${name} template ${templateName} strategy file_copy`);

  function config(role: "qinfra_app" | "qinfra_system" | "superuser"): pg.ClientConfig {
    const { host, port, user, password } = cluster as { host: string; port: number; user: string; password: string };
    if (role === "superuser") return { host, port, user, password, database: name };
    return { host, port, user: role, password: role === "qinfra_app" ? testPasswords.app : testPasswords.system, database: name };
  }
  const { pooler } = cluster;
  const urls: DatabaseUrls = {
    app: { ...config("qinfra_app"), ...pooler }, system: { ...config("qinfra_system"), ...pooler }, direct: config("qinfra_system"),
  };
  const options: DatabaseOptions = { poolSize: 10, log: pino({ level: "silent" }), preparedStatements: pooler === undefined };
  const database = openDatabase(urls, options);
  return {
    database,
    urls,
    options,
    config,
    async connect(role) {
      const client = new pg.Client(config(role));
      await client.connect();
      return client;
    },
    async close() {
      await database.close();
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}
