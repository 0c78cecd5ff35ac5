import { readCredentials } from "./credentials.ts";
import { CliError } from "./errors.ts";
import type { CliIo } from "./io.ts";
import type { GlobalOptions } from "./local-command.ts";

/** The server that commands are sent to, and as whom. */
export interface Connection {
  /** Origin and path, without a slash at the end. */
  url: string;
  /** An API key or the token of a session; absent where there is none for this server. */
  token?: string;
  /** TypeID of the organization to work in. */
  organization?: string;
}

export const defaultUrl = "http://localhost:8080";

/**
 * `--url`, else `QINFRA_URL`, else the last login; undefined where nothing names a server. A token goes only to the
 * server that gave it; `QINFRA_API_KEY` comes before it. Throws CliError for an address that cannot be one.
 */
export async function connectionOf(io: Pick<CliIo, "env" | "now">, global: GlobalOptions): Promise<Connection | undefined> {
  const key = setting(io.env, "QINFRA_API_KEY");
  const given = global.url ?? setting(io.env, "QINFRA_URL");
  const url = given === undefined ? undefined : serverUrl(given, global.url === undefined ? "QINFRA_URL" : "--url");
  if (url !== undefined && key !== undefined) return withOrganization({ url, token: key }, io.env, global);
  const { current, logins } = await readCredentials(io);
  const chosen = url ?? (current !== undefined && logins[current] !== undefined ? current : undefined);
  if (chosen === undefined) {
    if (key === undefined) return undefined;
    throw new CliError("QINFRA_API_KEY is set, but no server is.", { next: "set QINFRA_URL, or give --url" });
  }
  const login = logins[chosen];
  if (key === undefined && login?.expiresAt !== undefined && Date.parse(login.expiresAt) <= io.now()) {
    throw new CliError(`Your login to ${chosen} expired at ${login.expiresAt}.`, { next: `run: qinfra login --url ${chosen}` });
  }
  const token = key ?? login?.token;
  return withOrganization({ url: chosen, ...(token !== undefined && { token }) }, io.env, global);
}

/** Where `qinfra login` goes: `--url`, else `QINFRA_URL`, else the server logged in to last, else this machine. */
export async function loginUrl(io: Pick<CliIo, "env">, global: GlobalOptions): Promise<string> {
  if (global.url !== undefined) return serverUrl(global.url, "--url");
  const named = setting(io.env, "QINFRA_URL");
  if (named !== undefined) return serverUrl(named, "QINFRA_URL");
  return (await readCredentials(io)).current ?? defaultUrl;
}

function withOrganization(connection: Connection, env: CliIo["env"], global: GlobalOptions): Connection {
  const organization = global.organization ?? setting(env, "QINFRA_ORGANIZATION");
  return { ...connection, ...(organization !== undefined && { organization }) };
}

function setting(env: CliIo["env"], name: string): string | undefined {
  const value = env[name]?.trim();
  return value === "" ? undefined : value;
}

/** The address in its one spelling. A password in it is refused: it would end in logs and process lists. */
export function serverUrl(text: string, where: string): string {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.hostname === "") {
    throw new CliError(`${where} is not the address of a server.`, { next: `give it as ${defaultUrl} or https://HOST` });
  }
  if (url.username !== "" || url.password !== "") {
    throw new CliError(`${where} holds a user name or a password.`, { next: "leave them out; log in by `qinfra login`, or set QINFRA_API_KEY" });
  }
  if (url.search !== "" || url.hash !== "") throw new CliError(`${where} holds a query, which the address of a server has not.`, { next: "leave out what follows the path" });
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** Whether what is sent there can be read on the way. */
export function isOpenOnTheWay(url: string): boolean {
  return new URL(url).protocol === "http:" && !isLoopback(url);
}

/** Whether the address is this machine's own. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname.startsWith("127.") || hostname === "[::1]";
}
