import pg from "pg";
import type { Logger } from "pino";
import { DatabaseUnavailable, DeclaredError } from "../errors.ts";
import { pinged } from "./ping.ts";
import { seconds, watchReplica, type ReplicaStatus } from "./replica.ts";
import type { Query } from "./sql.ts";

/** Statements inside one transaction. Rows have the columns' names; `bigint` comes as a number, `timestamptz` as a Date. */
export interface Db {
  many<Row>(query: Query): Promise<Row[]>;
  maybe<Row>(query: Query): Promise<Row | undefined>;
  one<Row>(query: Query): Promise<Row>;
  /** Runs a change; the number of rows that it touched. */
  run(query: Query): Promise<number>;
}

/** The doors to PostgreSQL. `tenant` is under row level security, `system` is not: a test lists who may use it. */
export interface Database {
  tenant<T>(orgId: string, work: (db: Db) => Promise<T>): Promise<T>;
  /** As `tenant`, for statements that only read: each by itself, without a transaction, in one round trip. A change is refused. */
  read<T>(orgId: string, work: (db: Db) => Promise<T>): Promise<T>;
  /** As `read`, for several statements that must see the same moment. */
  snapshot<T>(orgId: string, work: (db: Db) => Promise<T>): Promise<T>;
  /**
   * As `read`, for what may be a little old: asks the replica where there is one, it answers, is less than 30 seconds behind
   * and has what this process committed for the organization. Otherwise the primary is asked, and nothing is stale.
   * `work` may run twice.
   */
  replica<T>(orgId: string, work: (db: Db) => Promise<T>): Promise<{ value: T; staleSeconds: number }>;
  replicaStatus(): ReplicaStatus;
  system<T>(work: (db: Db) => Promise<T>): Promise<T>;
  /** One statement without a transaction, as `system`: one round trip, for what every request asks. */
  lookup<T>(work: (db: Db) => Promise<T>): Promise<T>;
  /** A connection of its own, past a pooler (LISTEN, advisory locks); the caller ends it. It ends by itself when it does not answer any more. */
  direct(): Promise<pg.Client>;
  /** True when a trivial statement comes back in time. */
  healthy(): Promise<boolean>;
  stats(): { total: number; idle: number; waiting: number };
  close(): Promise<void>;
}

export interface DatabaseUrls {
  app: pg.ClientConfig;
  system: pg.ClientConfig;
  /** As the system role, past a pooler; `system` where there is none. */
  direct?: pg.ClientConfig;
  /** A streaming replica, as the tenants' role. */
  replica?: pg.ClientConfig;
}

export interface DatabaseOptions {
  poolSize: number;
  log: Logger;
  /** False behind a pooler that gives a connection for a transaction only. */
  preparedStatements: boolean;
  answerMs?: number;
  pingMs?: number;
}

pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number);

const statementTimeoutMs = 30_000;
const idleTransactionMs = 60_000;
/** The server ends a statement before this; one that does not answer even then is gone, or the way to it is. */
const answerTimeoutMs = statementTimeoutMs + 5_000;

export function openDatabase(urls: DatabaseUrls, options: DatabaseOptions): Database {
  const { poolSize, preparedStatements: sessions, answerMs = answerTimeoutMs, pingMs = 15_000 } = options;
  let closing = false;
  const app = pool(urls.app, poolSize, "qinfra app");
  const system = pool(urls.system, Math.max(4, Math.ceil(poolSize / 2)), "qinfra system");
  const replica = urls.replica === undefined ? undefined : pool(urls.replica, poolSize, "qinfra replica");
  const watch = replica === undefined ? undefined : watchReplica({ primary: system, replica, log: options.log, now: () => performance.now() });
  /** When this process last committed something of an organization. */
  const committed = new Map<string, number>();

  function pool(config: pg.ClientConfig, max: number, name: string): pg.Pool {
    const made = new pg.Pool({
      ...config, max, application_name: name, pipeline: true, query_timeout: answerMs, keepAlive: true,
      // A pooler refuses settings of a session; each transaction then makes them for itself.
      ...(sessions ? { statement_timeout: statementTimeoutMs, idle_in_transaction_session_timeout: idleTransactionMs } : {}),
      connectionTimeoutMillis: 5_000, idleTimeoutMillis: 60_000,
    } as pg.PoolConfig);
    made.on("error", (error) => {
      if (!closing) options.log.warn({ err: error }, "idle database connection lost");
    });
    return made;
  }

  /** Organization of a connection's session, which `read` sets and which outlives it; a transaction's own goes before it. */
  const sessionOrg = new WeakMap<pg.ClientBase, string>();

  async function enter(client: pg.ClientBase, orgId: string): Promise<void> {
    if (sessionOrg.get(client) === orgId) return;
    sessionOrg.delete(client);
    // Waited for: a statement that follows must not run for the organization before, should this one fail.
    await client.query(`set app.org_id = '${checkedOrg(orgId)}'; set default_transaction_read_only = on`);
    sessionOrg.set(client, orgId);
  }

  async function reading<T>(from: pg.Pool, orgId: string, work: (db: Db) => Promise<T>): Promise<T> {
    const client = await from.connect().catch(unavailable);
    client.on("error", ignore);
    const lease = { over: false };
    let lost = false;
    try {
      await enter(client, orgId);
      return await work(dbOf(client, sessions, lease));
    } catch (error) {
      const reason = translated(error);
      lost = reason !== error; // its socket may still be closing, so that the next one would be given it
      throw reason;
    } finally {
      lease.over = true;
      client.off("error", ignore);
      client.release(lost);
    }
  }

  async function transaction<T>(from: pg.Pool, orgId: string | undefined, work: (db: Db) => Promise<T>, access: Access = "read write"): Promise<T> {
    const begin = orgId === undefined ? "begin" : beginTenant(orgId, access);
    const limits = sessions ? "" : localLimits;
    const client = await from.connect().catch(unavailable);
    // Without a listener the end of a connection in use would end the process; its statements fail by themselves.
    client.on("error", ignore);
    // Sent in one go without waiting: the answers are checked together with the first answer of the work.
    const begun = client.query(begin + limits);
    begun.catch(() => undefined);
    const lease = { over: false };
    let broken: unknown;
    try {
      // Should it fail, no statement may run for the organization of the session.
      if (sessionOrg.has(client) && sessionOrg.get(client) !== orgId) await begun;
      const result = await work(dbOf(client, sessions, lease));
      await begun;
      const { command } = await client.query("commit");
      // Where a statement failed and the work went on, PostgreSQL answers a commit by rolling back, and without an error.
      if (command !== "COMMIT") throw new Error("the transaction was rolled back, because a statement in it failed and its error was passed over");
      if (watch !== undefined && orgId !== undefined && access === "read write") committed.set(orgId, performance.now());
      return result;
    } catch (error) {
      await client.query("rollback").catch((reason: unknown) => (broken = reason));
      throw translated(error);
    } finally {
      lease.over = true;
      client.off("error", ignore);
      client.release(broken !== undefined);
    }
  }

  /** What a session was set to does not hold behind a pooler, so there it takes a transaction. */
  function read<T>(from: pg.Pool, orgId: string, work: (db: Db) => Promise<T>): Promise<T> {
    return sessions ? reading(from, orgId, work) : transaction(from, orgId, work, "read only");
  }

  /** Up to when the replica holds everything, where it may answer for the organization. */
  function replicaFor(orgId: string): number | undefined {
    const upTo = watch?.readableUpTo();
    if (upTo === undefined) return undefined;
    for (const [org, at] of committed) if (at < upTo) committed.delete(org);
    return committed.has(orgId) ? undefined : upTo;
  }

  return {
    tenant: (orgId, work) => transaction(app, orgId, work),
    read: (orgId, work) => read(app, orgId, work),
    async replica(orgId, work) {
      const upTo = replicaFor(orgId);
      if (replica !== undefined && upTo !== undefined) {
        try {
          const staleSeconds = seconds(performance.now() - upTo);
          return { value: await read(replica, orgId, work), staleSeconds };
        } catch (error) {
          const away = error instanceof DeclaredError && error.type === DatabaseUnavailable;
          if (!away && (error as { code?: string }).code !== recoveryConflict) throw error;
          if (away) watch?.failed();
        }
      }
      return { value: await read(app, orgId, work), staleSeconds: 0 };
    },
    replicaStatus: () => watch?.status() ?? { state: "none" },
    snapshot: (orgId, work) => transaction(app, orgId, work, "isolation level repeatable read read only"),
    system: (work) => transaction(system, undefined, work),
    async lookup(work) {
      try {
        return await work(dbOf(system, sessions));
      } catch (error) {
        throw translated(error);
      }
    },
    async direct() {
      const client = new pg.Client({
        ...(urls.direct ?? urls.system), application_name: "qinfra direct", keepAlive: true, keepAliveInitialDelayMillis: 10_000, connectionTimeoutMillis: 5_000,
      });
      await client.connect().catch(unavailable);
      return pinged(client, { everyMs: pingMs, answerMs });
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
      watch?.stop();
      await Promise.all([app.end(), system.end(), replica?.end()]);
    },
  };
}

/** A replica ended the statement, because replaying the log took away what it read. */
const recoveryConflict = "40001";

const localLimits = `; set local statement_timeout = ${statementTimeoutMs}; set local idle_in_transaction_session_timeout = ${idleTransactionMs}`;

type Access = "read write" | "read only" | "isolation level repeatable read read only";

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** One simple-protocol message: the setting is local to the transaction, so that it also holds behind a pooler. */
function beginTenant(orgId: string, access: Access): string {
  return `begin ${access}; set local app.org_id = '${checkedOrg(orgId)}'`;
}

function checkedOrg(orgId: string): string {
  if (!uuidPattern.test(orgId)) throw new TypeError("the organization's id is not a UUID");
  return orgId;
}

function ignore(): void {}

/** Statements on a connection. Once the lease is over somebody else has it, so a straggler is refused. */
export function dbOf(client: Pick<pg.ClientBase, "query">, prepared: boolean, lease?: { over: boolean }): Db {
  async function rows<Row>(query: Query): Promise<pg.QueryResult<Row & pg.QueryResultRow>> {
    if (lease?.over === true) throw new Error("a statement came after the end of its transaction; its promise was not waited for");
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
const lostMessage = /Connection terminated|not queryable|Query read timeout|timeout exceeded when trying to connect|ENOENT.*\.s\.PGSQL/;

function translated(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = (error as { code?: string }).code ?? "";
  if (lostConnection.test(code) || lostMessage.test(error.message)) {
    return new DeclaredError(DatabaseUnavailable, "The connection to the database was lost; try again in a moment.", undefined, error);
  }
  return error;
}
