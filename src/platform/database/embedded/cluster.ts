import { spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DeclaredError } from "../../errors.ts";
import type { Binaries } from "./binaries.ts";
import { configurationName } from "./configuration.ts";
import { diskFull, errorCode, fileError, InitFailed, NotWritable, WrongVersion } from "./errors.ts";
import type { Location } from "./location.ts";
import { credentials, type RunUser } from "./run-user.ts";
import { stagingFolder } from "./staging.ts";

/** The superuser of an embedded cluster. */
export const superuser = "postgres";

const initTimeoutMs = 120_000;

/** The environment of PostgreSQL's programs: nothing of ours, so that no PG* variable reaches them. */
export const programEnvironment = { PATH: "/bin:/usr/bin:/usr/local/bin", LC_ALL: "C", TZ: "UTC" };

/** Makes the cluster where there is none yet. Returns whether it did. */
export async function ensureCluster(place: Location, binaries: Binaries, major: string, newPassword: () => string): Promise<boolean> {
  if (existsSync(place.cluster)) {
    checkVersion(place, major);
    return false;
  }
  try {
    await createCluster(place, binaries, newPassword());
    return true;
  } catch (error) {
    throw fileError(error, place.home) ?? error;
  }
}

export function readPassword(place: Location): string {
  const path = join(place.cluster, "superuser-password");
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw fileError(error, path) ?? new DeclaredError(NotWritable, `The superuser's password is missing: ${path} cannot be read (${errorCode(error)}). Restore it from a backup of that folder.`, { path }, error);
  }
}

function checkVersion(place: Location, major: string): void {
  const path = join(place.cluster, "data/PG_VERSION");
  let found: string;
  try {
    found = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw fileError(error, path) ?? new DeclaredError(InitFailed, `${place.cluster} holds no database: ${path} is missing. Restore it from a backup, or move the folder away to begin with an empty database.`, { path }, error);
  }
  if (found === major) return;
  throw new DeclaredError(
    WrongVersion,
    `The database in ${place.cluster} was made by PostgreSQL ${found}, and this program brings ${major}. ` +
      `Export it with pg_dumpall of version ${found} and import it into an empty data folder, or serve it with PostgreSQL ${found} and set DATABASE_URL.`,
    { path: place.cluster, found, expected: major },
  );
}

/** initdb into a folder of its own, then one rename: a cluster is whole, with its password, or absent. */
async function createCluster(place: Location, binaries: Binaries, password: string): Promise<void> {
  const staging = stagingFolder(place.cluster, 0o700);
  const passwordFile = join(staging, "superuser-password");
  try {
    mkdirSync(join(staging, "log"), { mode: 0o700 });
    mkdirSync(join(staging, "socket"), { mode: 0o700 });
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    for (const name of ["log", "socket", "superuser-password", "."]) give(join(staging, name), place.user);
    await initdb(place, binaries, join(staging, "data"), passwordFile);
    writeFileSync(join(staging, "data/postgresql.conf"), `\ninclude_if_exists '../../${configurationName}'\n`, { flag: "a" });
    renameSync(staging, place.cluster);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    const othersWon = errorCode(error) === "ENOTEMPTY" || errorCode(error) === "EEXIST";
    if (!othersWon) throw error;
  }
}

export function give(path: string, user: RunUser): void {
  if (user.uid !== undefined && user.gid !== undefined) chownSync(path, user.uid, user.gid);
}

async function initdb(place: Location, binaries: Binaries, data: string, passwordFile: string): Promise<void> {
  const locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const access = [`--username=${superuser}`, `--pwfile=${passwordFile}`, "--auth-local=scram-sha-256", "--auth-host=scram-sha-256"];
  const child = spawn(binaries.initdb, ["-D", data, ...locale, ...access, "--data-checksums", "--no-instructions"], {
    ...credentials(place.user),
    cwd: "/",
    env: programEnvironment,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: initTimeoutMs,
  });
  let said = "";
  const keep = (chunk: Buffer): void => void (said = (said + chunk.toString()).slice(-4_000));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const ended = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code === 0 ? "" : signal ?? `exit code ${code}`));
  });
  if (ended === "") return;
  if (/No space left on device/.test(said)) throw diskFull(place.home);
  const errors = said.split("\n").filter((line) => /error|fatal|could not/i.test(line)).slice(-3).join("; ");
  throw new DeclaredError(InitFailed, `initdb failed in ${place.home} (${ended}): ${errors || said.trim().slice(-300) || "it said nothing"}.`, { path: place.home });
}
