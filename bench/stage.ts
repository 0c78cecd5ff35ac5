import { join } from "node:path";
import pg from "pg";
import { pino } from "pino";
import { systemClock } from "../src/platform/clock.ts";
import { openDatabase, type Database } from "../src/platform/database/database.ts";
import { startEmbeddedPostgres } from "../src/platform/database/embedded/index.ts";
import { fromTypeId, toTypeId } from "../src/platform/ids.ts";
import { openFileSecrets } from "../src/platform/secrets/file-secrets.ts";
import type { Secrets } from "../src/platform/secrets/types.ts";
import { claim, dataFolder, startPlatform, type RunningPlatform } from "../test/real/support/platform.ts";
import type { Client } from "../test/real/support/client.ts";
import { onCore } from "./process.ts";

/** One PostgreSQL for the platform and what it is compared with, and the platform on the first core. */
export interface Stage {
  folder: string;
  superuser: pg.ClientConfig;
  platform: RunningPlatform;
  client: Client;
  orgId: string;
  secrets: Secrets;
  /** The platform's own doors to its database, with a pool of this size. */
  open(poolSize: number): Database;
  close(): Promise<void>;
}

/** What another server of the same platform is started with. */
export function platformEnvironment({ folder, superuser }: Pick<Stage, "folder" | "superuser">): Record<string, string> {
  const { user, password, host } = superuser;
  return {
    DATABASE_URL: `postgres://${user}:${encodeURIComponent(String(password))}@localhost/${databaseName}?host=${encodeURIComponent(String(host))}`,
    SECRETS_URL: `file:${join(folder, "keys")}`, BLOBS_URL: `file:${join(folder, "blobs")}`, DATABASE_POOL: String(poolSize), RATE_LIMIT: "9999999", TRUSTED_PROXIES: "127.0.0.1",
  };
}

/** TypeIDs of some of the assets that the reads were measured with. */
export async function assetIds({ superuser, orgId }: Stage): Promise<string[]> {
  const { rows } = await statement(superuser, "select id from inventory.assets where org_id = $1 order by id limit 2000", [orgId]);
  return (rows as { id: string }[]).map((row) => toTypeId("ast", row.id));
}

export const poolSize = 16;
const databaseName = "qinfra_bench";

export async function openStage(nodeArguments: readonly string[] = []): Promise<Stage> {
  const folder = await dataFolder("bench");
  const log = pino({ level: "silent" });
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder.path, "postgres"), log, clock: systemClock });
  const superuser = { ...postgres.connection, database: databaseName };
  await statement(postgres.connection, `create database ${databaseName}`);
  const platform = await startPlatform(folder.path, platformEnvironment({ folder: folder.path, superuser }), { launcher: onCore(0), nodeArguments });
  const client = await claim(platform.address, "admin", platform.oneTimePassword ?? "", "a password for the benchmark");
  const me = await client.call<{ organization: { id: string } }>("GET", "/api/v1/users/me");
  const secrets = await openFileSecrets({ folder: join(folder.path, "keys"), dataExists: true, clock: systemClock });
  return {
    folder: folder.path, superuser, platform, client, secrets, orgId: fromTypeId("org", me.organization.id) as string,
    open: (size) => openDatabase({
      app: { ...superuser, user: "qinfra_app", password: secrets.derive("database-role qinfra_app").toString("base64url") },
      system: { ...superuser, user: "qinfra_system", password: secrets.derive("database-role qinfra_system").toString("base64url") },
    }, { poolSize: size, log, preparedStatements: true }),
    async close() {
      await client.close();
      await platform.stop();
      await postgres.stop();
      await folder.remove();
    },
  };
}

export async function statement(connection: pg.ClientConfig, text: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}
