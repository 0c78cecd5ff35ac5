import { once } from "node:events";
import { text } from "node:stream/consumers";
import { Worker } from "node:worker_threads";
import type pg from "pg";
import type { DbosThreadData } from "./thread.ts";

export const dbosSchema = "dbos";
/** What the pinned release of DBOS brings its tables to; a test holds it. */
export const dbosVersion = 123;

/** Paths of PEM files. */
export interface CertificateFiles {
  cert: string;
  key: string;
  ca?: string;
}

/**
 * Brings the engine's own tables up to date, as `qinfra_owner`. Its library is loaded only where there is something to do.
 * @param client - Connection of a member of `qinfra_owner`, made by `connection`.
 * @param files - Where TLS_CA encrypts the connection: the library takes a URL, which names files.
 * @param entry - Program of a thread that calls `serveDbos`.
 */
export async function migrateDbos(client: Pick<pg.Client, "query">, connection: pg.ClientConfig, entry: URL, files?: CertificateFiles): Promise<void> {
  if ((await versionOf(client)) >= dbosVersion) return;
  const worker = new Worker(entry, { workerData: { migrate: urlOf(connection, files), schema: dbosSchema, role: "qinfra_system" } satisfies DbosThreadData, stdout: true });
  // It tells the terminal what it grants.
  void text(worker.stdout);
  const [code] = (await once(worker, "exit")) as [number];
  if (code !== 0) throw new Error(`the tables of the workflow engine could not be made (exit code ${code})`);
}

/** How new the tables are that are there; -1 for none. */
export async function versionOf(client: Pick<pg.Client, "query">): Promise<number> {
  const { rows: [there] } = await client.query<{ there: boolean }>("select to_regclass('dbos.dbos_migrations') is not null as there");
  if (there?.there !== true) return -1;
  const { rows: [row] } = await client.query<{ version: string }>("select coalesce(max(version), 0) as version from dbos.dbos_migrations");
  return Number(row?.version);
}

function urlOf({ host, port, user, password, database, ssl }: pg.ClientConfig, files: CertificateFiles | undefined): string {
  const url = new URL(`postgres://localhost:${port ?? 5432}/${encodeURIComponent(database ?? "postgres")}`);
  url.username = encodeURIComponent(user ?? "");
  url.password = encodeURIComponent(typeof password === "string" ? password : "");
  url.searchParams.set("host", host ?? "localhost");
  url.searchParams.set("options", "-c role=qinfra_owner");
  if (typeof ssl === "object") url.searchParams.set("sslmode", ssl.rejectUnauthorized === false ? "no-verify" : "verify-full");
  if (typeof ssl === "object" && ssl.ca !== undefined && files?.ca !== undefined) {
    for (const [name, path] of [["sslrootcert", files.ca], ["sslcert", files.cert], ["sslkey", files.key]] as const) url.searchParams.set(name, path);
  }
  return url.toString();
}
