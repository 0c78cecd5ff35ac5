import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { systemClock } from "../platform/clock.ts";
import { startEmbeddedPostgres } from "../platform/database/embedded/index.ts";
import { ensureRoles, migrate, readMigrations } from "../platform/database/migrate.ts";
import { dumpSchema } from "../platform/database/schema-dump.ts";
import { packageRoot } from "./root.ts";

const quiet = { info: () => undefined, warn: () => undefined };

/** What all migrations make together, read from a database that is made for it and thrown away. */
export async function migratedSchema(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "qinfra-schema-"));
  try {
    const server = await startEmbeddedPostgres({ dataDir: join(folder, "postgres"), log: quiet, clock: systemClock, settings: { fsync: "off" } });
    try {
      const client = new pg.Client(server.connection);
      await client.connect();
      try {
        // Nobody signs in with these: the server ends before this returns.
        await ensureRoles(client, { app: "unused", system: "unused" });
        await migrate(client, await readMigrations(join(packageRoot(), "migrations")));
        return schemaFile(await dumpSchema(client));
      } finally {
        await client.end();
      }
    } finally {
      await server.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The dump as it is kept in the repository. */
export function schemaFile(dump: string): string {
  return `-- What the migrations make together, on PostgreSQL 18. Written by \`qinfra goldens --write\`; change it by a migration.\n\n${dump}`;
}
