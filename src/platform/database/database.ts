import pg from "pg";
import type { Logger } from "pino";
import { DatabaseUnavailable, DeclaredError } from "../errors.ts";
import type { Query } from "./sql.ts";

/** Statements inside one transaction. Rows have the columns' names; `bigint` comes as a number, `timestamptz` as a Date. */
export interface Db {
  many<Row>(query: Query): Promise<Row[]>;
  maybe<Row>(query: Query): Promise<Row | undefined>;
  one<Row>(query: Query): Promise<Row>;
  /** Runs a change; the number of rows that it touched. */
  run(query: Query): Promise<number>;
}

/** The three doors to PostgreSQL. `tenant` is under row level security, `system` is not: a test lists who may use it. */
export interface Database {
  tenant<T>(orgId: string, work: (db: Db) => Promise<T>): Promise<T>;
  system<T>(work: (db: Db) => Promise<T>): Promise<T>;
  /** One statement without a transaction, as `system`: one round trip, for what every request asks. */
  lookup<T>(work: (db: Db) => Promise<T>): Promise<T>;
  /** A connection of its own (LISTEN, advisory locks); the caller ends it. */
  direct(): Promise<pg.Client>;
  /** True when a trivial statement comes back in time. */
  healthy(): Promise<boolean>;
  stats(): { total: number; idle: number; waiting: number };
  close(): Promise<void>;
}

export interface DatabaseUrls {
  app: pg.ClientConfig;
  system: pg.ClientConfig;
}

pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number);

const statementTimeoutMs = 30_000;

export function openDatabase(urls: DatabaseUrls, options: { poolSize: number; log: Logger; preparedStatements: boolean }): Database {
  let closing = false;
  const app = pool(urls.app, options.poolSize, "qinfra app");
  const system = pool(urls.system, Math.max(4, Math.ceil(options.poolSize / 2)), "qinfra system");

  function pool(config: pg.ClientConfig, max: number, name: string): pg.Pool {
    const made = new pg.Pool({
      ...config, max, application_name: name, pipeline: true, statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: 60_000, connectionTimeoutMillis: 5_000, idleTimeoutMillis: 60_000,
    } as pg.PoolConfig);
    made.on("error", (error) => {
      if (!closing) options.log.warn({ err: error }, "idle database connection lost");
    });
    return made;
  }

  async function transaction<T>(from: pg.Pool, orgId: string | undefined, work: (db: Db) => Promise<T>): Promise<T> {
    const client = await from.connect().catch(unavailable);
    // Without a listener the end of a connection in use would end the process; its statements fail by themselves.
    client.on("error", ignore);
    // Sent in one go without waiting: the answers are checked together with the first answer of the work.
    const begun = client.query(orgId === undefined ? "begin" : beginTenant(orgId));
    begun.catch(() => undefined);
    let broken: unknown;
    try {
      const result = await work(dbOf(client, options.preparedStatements));
      await begun;
      const { command } = await client.query("commit");
      // Where a statement failed and the work went on, PostgreSQL answers a commit by rolling back, and without an error.
      if (command !== "COMMIT") throw new Error("the transaction was rolled back, because a statement in it failed and its error was passed over");
      return result;
    } catch (error) {
      await client.query("rollback").catch((reason: unknown) => (broken = reason));
      throw translated(error);
    } finally {
      client.off("error", ignore);
      client.release(broken !== undefined);
    }
  }

  return {
    tenant: (orgId, work) => transaction(app, orgId, work),
    system: (work) => transaction(system, undefined, work),
    async lookup(work) {
      try {
        return await work(dbOf(system, options.preparedStatements));
      } catch (error) {
        throw translated(error);
      }
    },
    async direct() {
      const client = new pg.Client({ ...urls.system, application_name: "qinfra direct" });
      await client.connect().catch(unavailable);
      return client;
    },
    async healthy() {
      try {
        await system.query({ text: "select 1", query_timeout: 2_000 } as pg.QueryConfig);
        return true;
      } catch {
        return false;
      }
    },
    stats: () => ({
      total: app.totalCount + system.totalCount,
      idle: app.idleCount + system.idleCount,
      waiting: app.waitingCount + system.waitingCount,
    }),
    async close() {
      closing = true;
      await Promise.all([app.end(), system.end()]);
    },
  };
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** One simple-protocol message: the setting is local to the transaction, so that it also holds behind a pooler. */
function beginTenant(orgId: string): string {
  if (!uuidPattern.test(orgId)) throw new TypeError("the organization's id is not a UUID");
  return `begin; set local app.org_id = '${orgId}'`;
}

function ignore(): void {}

export function dbOf(client: Pick<pg.ClientBase, "query">, prepared: boolean): Db {
  async function rows<Row>(query: Query): Promise<pg.QueryResult<Row & pg.QueryResultRow>> {
    const config: pg.QueryConfig = { text: query.text, values: query.values as unknown[] };
    if (prepared && query.name !== undefined) config.name = query.name;
    return client.query<Row & pg.QueryResultRow>(config);
  }
  return {
    async many<Row>(query: Query) {
      return (await rows<Row>(query)).rows as Row[];
    },
    async maybe<Row>(query: Query) {
      return (await rows<Row>(query)).rows[0] as Row | undefined;
    },
    async one<Row>(query: Query) {
      const row = (await rows<Row>(query)).rows[0];
      if (row === undefined) throw new Error("a statement that must answer one row answered none");
      return row as Row;
    },
    async run(query) {
      return (await rows(query)).rowCount ?? 0;
    },
  };
}

function unavailable(error: unknown): never {
  throw new DeclaredError(DatabaseUnavailable, "The database does not answer; try again in a moment.", undefined, error);
}

// Connection exceptions; shutdown, crash, not yet started; idle in transaction; the socket itself.
const lostConnection = /^(08|57P0|25P03|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT)/;
const lostMessage = /Connection terminated|not queryable|timeout exceeded when trying to connect|ENOENT.*\.s\.PGSQL/;

function translated(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = (error as { code?: string }).code ?? "";
  if (lostConnection.test(code) || lostMessage.test(error.message)) {
    return new DeclaredError(DatabaseUnavailable, "The connection to the database was lost; try again in a moment.", undefined, error);
  }
  return error;
}
