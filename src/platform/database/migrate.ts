import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";

/** One file of migrations/: plain SQL, expand or contract, run once and never edited. */
export interface Migration {
  name: string;
  text: string;
  sha256: string;
}

export async function readMigrations(directory: string): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(names.map(async (name) => {
    if (!/^\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d__[a-z0-9_]+\.sql$/.test(name)) throw new Error(`migrations/${name}: a name is YYYYMMDDhhmm__module_what.sql`);
    const text = await readFile(join(directory, name), "utf8");
    return { name, text, sha256: createHash("sha256").update(text).digest("hex") };
  }));
}

export const databaseRoles = ["qinfra_owner", "qinfra_app", "qinfra_system"] as const;
const lockKey = 7_126_031; // any constant: one migrating process a database

/**
 * Makes the three roles where they are missing and sets the passwords of those that sign in. `admin` may create roles;
 * where the roles were made beforehand it only has to be a member of `qinfra_owner`.
 */
export async function ensureRoles(admin: pg.Client, passwords: { app: string; system: string }): Promise<void> {
  // Servers that start at once would each find a role missing, and all but one of them fail to make it.
  await locked(admin, () => makeRoles(admin, passwords));
}

async function makeRoles(admin: pg.Client, passwords: { app: string; system: string }): Promise<void> {
  const { rows } = await admin.query<{ rolname: string }>("select rolname from pg_roles where rolname = any($1)", [databaseRoles]);
  const present = new Set(rows.map((row) => row.rolname));
  const create: Record<(typeof databaseRoles)[number], string> = {
    qinfra_owner: "nologin",
    qinfra_app: "login",
    qinfra_system: "login bypassrls",
  };
  for (const role of databaseRoles) {
    if (!present.has(role)) await admin.query(`create role ${role} ${create[role]}`);
  }
  await setPassword(admin, "qinfra_app", passwords.app);
  await setPassword(admin, "qinfra_system", passwords.system);
  await admin.query("grant qinfra_owner to current_user");
}

async function setPassword(admin: pg.Client, role: string, password: string): Promise<void> {
  const probe = new pg.Client({ host: admin.host, port: admin.port, database: admin.database ?? "postgres", user: role, password, connectionTimeoutMillis: 3_000 });
  const works = await probe.connect().then(() => true, () => false);
  await probe.end().catch(() => undefined);
  if (!works) await admin.query(`alter role ${role} password ${admin.escapeLiteral(password)}`);
}

/** Runs the migrations that the database does not have yet, each in its own transaction, as `qinfra_owner`. */
export async function migrate(admin: pg.Client, migrations: readonly Migration[]): Promise<string[]> {
  return locked(admin, () => runMissing(admin, migrations));
}

async function locked<T>(admin: pg.Client, work: () => Promise<T>): Promise<T> {
  await admin.query("select pg_advisory_lock($1)", [lockKey]);
  try {
    return await work();
  } finally {
    await admin.query("select pg_advisory_unlock($1)", [lockKey]).catch(() => undefined);
  }
}

async function runMissing(admin: pg.Client, migrations: readonly Migration[]): Promise<string[]> {
  try {
    await admin.query(`do $$ begin execute format('grant create, connect, temporary on database %I to qinfra_owner', current_database()); end $$`);
    await admin.query("set role qinfra_owner");
    await admin.query(`create schema if not exists platform;
      create table if not exists platform.migrations (name text primary key, sha256 text not null, applied_at timestamptz not null default now())`);
    const { rows } = await admin.query<{ name: string; sha256: string }>("select name, sha256 from platform.migrations");
    const applied = new Map(rows.map((row) => [row.name, row.sha256]));
    const ran: string[] = [];
    for (const migration of migrations) {
      const known = applied.get(migration.name);
      if (known === migration.sha256) continue;
      if (known !== undefined) throw new Error(`migrations/${migration.name} was changed after it ran here; restore it and write a new migration instead`);
      await run(admin, migration);
      ran.push(migration.name);
    }
    const unknown = rows.find((row) => !migrations.some((migration) => migration.name === row.name));
    if (unknown !== undefined) throw new Error(`the database has migration ${unknown.name}, which this version does not know: it was made by a newer version; run that version`);
    return ran;
  } finally {
    await admin.query("reset role").catch(() => undefined);
  }
}

async function run(admin: pg.Client, migration: Migration): Promise<void> {
  try {
    await admin.query("begin");
    await admin.query(migration.text);
    await admin.query("insert into platform.migrations (name, sha256) values ($1, $2)", [migration.name, migration.sha256]);
    await admin.query("commit");
  } catch (error) {
    await admin.query("rollback");
    const { message, position } = error as { message: string; position?: string };
    const line = position === undefined ? "" : ` at line ${migration.text.slice(0, Number(position)).split("\n").length}`;
    throw new Error(`migrations/${migration.name} failed${line}: ${message}`, { cause: error });
  }
}
