import { join } from "node:path";
import type { Logger } from "pino";
import pg from "pg";
import type { Config } from "../platform/config.ts";
import { openDatabase, type Database } from "../platform/database/database.ts";
import { embeddedClusterExists, startEmbeddedPostgres, type EmbeddedPostgres } from "../platform/database/embedded/index.ts";
import { ensureRoles, migrate, readMigrations } from "../platform/database/migrate.ts";
import { systemClock } from "../platform/clock.ts";
import { errorType, fail } from "../platform/errors.ts";
import { copyOf, type EngineTls } from "../platform/tls/index.ts";
import type { Secrets } from "../platform/secrets/types.ts";
import { migrateDbos } from "../platform/workflow/engines/dbos/schema.ts";
import { packageRoot } from "./root.ts";
import { workflowsEntry } from "./worker-entry.ts";

export const DatabaseUnreachable = errorType("database-unreachable", 503, "The database cannot be reached");
export const KeysOfAnother = errorType("keys-of-another", 503, "The database belongs to other keys");

export interface OpenedDatabase {
  database: Database;
  /** Absent with an external server. */
  embedded?: EmbeddedPostgres;
  /** The system role, past a pooler. */
  direct: pg.ClientConfig;
  close(): Promise<void>;
}

/** Starts or reaches PostgreSQL, brings roles and schema up to date, and opens the doors. */
export async function openPlatformDatabase(config: Config, secrets: Secrets, log: Logger, engines?: EngineTls): Promise<OpenedDatabase> {
  const embedded = config.database.url === "embedded"
    ? await startEmbeddedPostgres({ dataDir: join(config.dataDir, "postgres"), log, clock: systemClock })
    : undefined;
  try {
    const { appUrl, systemUrl, readUrl, directUrl } = config.database;
    const served = embedded === undefined ? parsed(config.database.url, engines) : { ...embedded.connection, database: "qinfra" };
    // Behind a pooler, roles and schema are made past it.
    const admin = elsewhere(served, directUrl, engines);
    if (embedded !== undefined) await ensureDatabase(embedded.connection, "qinfra");
    const passwords = { app: secrets.derive("database-role qinfra_app").toString("base64url"), system: secrets.derive("database-role qinfra_system").toString("base64url") };
    await prepare(admin, config, { passwords, keys: secrets.derive("database mark").toString("hex").slice(0, 32) }, log);
    const app = appUrl === undefined ? { ...served, user: "qinfra_app", password: passwords.app } : parsed(appUrl, engines);
    const system = systemUrl === undefined ? { ...served, user: "qinfra_system", password: passwords.system } : parsed(systemUrl, engines);
    const direct = elsewhere(system, directUrl, engines);
    const database = openDatabase({
      app, system, direct, ...(readUrl === undefined ? {} : { replica: elsewhere(app, readUrl, engines) }),
    }, { poolSize: config.database.pool, log, preparedStatements: config.database.preparedStatements });
    return {
      database, direct, ...(embedded === undefined ? {} : { embedded }),
      async close() {
        await database.close();
        await embedded?.stop();
      },
    };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

/** Whether a database was made here before: keys that are missing then are lost, not new. */
export function databaseExists(config: Config): boolean {
  return config.database.url === "embedded" && embeddedClusterExists(join(config.dataDir, "postgres"));
}

/** The same role at another place: of the URL count host, port, database and sslmode. */
export function elsewhere(role: pg.ClientConfig, url: string | undefined, engines?: EngineTls): pg.ClientConfig {
  if (url === undefined) return role;
  const { user: _user, password: _password, ...place } = parsed(url, engines);
  return { ...place, ...(role.user === undefined ? {} : { user: role.user }), ...(role.password === undefined ? {} : { password: role.password }) };
}

/** With TLS_CA the connection is always encrypted and checked by it, unless the URL says sslmode=disable or names a socket. */
function parsed(url: string, engines?: EngineTls): pg.ClientConfig {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const socket = searchParams.get("host");
  const ssl = searchParams.get("sslmode");
  return {
    host: socket ?? decodeURIComponent(hostname), port: port === "" ? 5432 : Number(port), user: decodeURIComponent(username),
    password: decodeURIComponent(password), database: decodeURIComponent(pathname.slice(1)) || "postgres",
    ...sslOf(ssl, socket === null ? engines : undefined),
  };
}

function sslOf(mode: string | null, engines: EngineTls | undefined): Pick<pg.ClientConfig, "ssl"> {
  if (mode === "disable") return {};
  if (engines !== undefined) return { ssl: copyOf(engines) };
  return mode === null ? {} : { ssl: { rejectUnauthorized: mode === "verify-full" || mode === "verify-ca" } };
}

async function ensureDatabase(connection: pg.ClientConfig, name: string): Promise<void> {
  const client = new pg.Client({ ...connection, database: "postgres" });
  await client.connect();
  try {
    const { rowCount } = await client.query("select from pg_database where datname = $1", [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

async function prepare(admin: pg.ClientConfig, config: Config, { passwords, keys }: { passwords: { app: string; system: string }; keys: string }, log: Logger): Promise<void> {
  const client = new pg.Client({ ...admin, application_name: "qinfra migrate", connectionTimeoutMillis: 10_000 });
  await client.connect().catch((error: Error & { code?: string }) => {
    fail(DatabaseUnreachable, `PostgreSQL at ${admin.host}:${admin.port} cannot be used (${error.code ?? error.message}). See that it runs and takes this user, or set DATABASE_URL anew.`);
  });
  try {
    const { rows } = await client.query<{ v: number }>("select current_setting('server_version_num')::int as v");
    const major = Math.floor((rows[0]?.v ?? 0) / 10_000);
    if (major < 15) throw new Error(`the database server is PostgreSQL ${major}; 15 to 18 are supported`);
    const marked = await refuseOtherKeys(client, keys, config.keysDir);
    if (config.database.appUrl === undefined) await ensureRoles(client, passwords);
    const ran = await migrate(client, await readMigrations(join(packageRoot(), "migrations")));
    if (ran.length > 0) log.info({ migrations: ran }, "schema brought up to date");
    await migrateDbos(client, admin, workflowsEntry(), config.tls);
    // Before the first event, which would go to the default partition and keep its whole month there. The sealer does it later on.
    await client.query("set role qinfra_owner; select events.ensure_partitions(now(), 4); reset role").catch((error: unknown) => log.warn({ err: error }, "partitions of the event log could not be made at the start"));
    if (!marked) await client.query(`set role qinfra_owner; comment on schema platform is ${client.escapeLiteral(keys)}; reset role`);
  } finally {
    await client.end();
  }
}

/**
 * A database is marked with what its platform's keys derive. With other keys a server could read no secret of it, and
 * would set passwords of the roles by which it shuts out the servers that have the right ones. True where it is marked.
 */
export async function refuseOtherKeys(client: pg.Client, keys: string, keysDir: string): Promise<boolean> {
  const { rows } = await client.query<{ mark: string | null }>("select obj_description(to_regnamespace('platform')::oid, 'pg_namespace') as mark");
  const mark = rows[0]?.mark ?? undefined;
  if (mark !== undefined && mark !== keys) {
    fail(KeysOfAnother, `The keys in ${keysDir} are not those that this database was made with. Name the folder of those with SECRETS_URL, or another database with DATABASE_URL.`);
  }
  return mark !== undefined;
}
