import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { CliError } from "./errors.ts";
import { codeOf, homeFolder, makePrivateFolder } from "./home.ts";
import type { CliIo } from "./io.ts";

/** A session that `qinfra login` began. */
export interface Login {
  token: string;
  user: string;
  /** RFC 3339. */
  expiresAt?: string;
}

/** The file of the logins: one for each server, and which server was logged in to last, also where that login is over. */
export interface Credentials {
  current?: string;
  logins: Record<string, Login>;
}

type Place = Pick<CliIo, "env" | "random">;

export function credentialsPath(env: CliIo["env"]): string {
  return join(homeFolder(env), "credentials.json");
}

/** Empty where there is no file. Refuses a file that others can read: what was in it is no secret any more. */
export async function readCredentials({ env }: Pick<CliIo, "env">): Promise<Credentials> {
  const path = credentialsPath(env);
  const text = await readPrivate(path);
  if (text === undefined) return { logins: {} };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined; // the message of the parser would quote the file
  }
  if (isCredentials(value)) return value;
  throw new CliError(`${path} is damaged.`, { next: `run: rm ${path}; then: qinfra login` });
}

async function readPrivate(path: string): Promise<string | undefined> {
  let file;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw new CliError(`${path} cannot be read (${codeOf(error)}).`, { next: "let it belong to you, or set QINFRA_HOME to another folder", cause: error });
  }
  try {
    const { mode } = await file.stat();
    if ((mode & 0o077) !== 0) throw new CliError(`Others may read ${path}, which holds your session.`, { next: `run: chmod 600 ${path}; if others use this machine, log in again` });
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function isCredentials(value: unknown): value is Credentials {
  if (typeof value !== "object" || value === null) return false;
  const { current, logins } = value as Partial<Credentials>;
  if (current !== undefined && typeof current !== "string") return false;
  return typeof logins === "object" && logins !== null && Object.values(logins).every((login) => typeof login?.token === "string" && typeof login.user === "string");
}

/** Replaces the file (0600) whole or not at all. */
export async function writeCredentials(place: Place, credentials: Credentials): Promise<void> {
  const path = credentialsPath(place.env);
  await makePrivateFolder(homeFolder(place.env));
  const temporary = `${path}.${Buffer.from(place.random(6)).toString("hex")}`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(credentials, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

export async function storeLogin(place: Place, url: string, login: Login): Promise<void> {
  const before = await readCredentials(place);
  await writeCredentials(place, { current: url, logins: { ...before.logins, [url]: login } });
}

/** Forgets the login of a server, but not which one was the last: the next login goes there. */
export async function forgetLogin(place: Place, url: string): Promise<void> {
  const { logins, ...kept } = await readCredentials(place);
  const { [url]: _forgotten, ...others } = logins;
  await writeCredentials(place, { ...kept, logins: others });
}
