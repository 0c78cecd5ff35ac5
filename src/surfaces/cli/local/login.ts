import { callOperation } from "../client.ts";
import { isLoopback, isOpenOnTheWay, loginUrl, serverUrl, type Connection } from "../connection.ts";
import { credentialsPath, forgetLogin, readCredentials, storeLogin } from "../credentials.ts";
import { CliError, printable } from "../errors.ts";
import { exit } from "../exit-codes.ts";
import { say } from "../io.ts";
import type { CliContext, LocalRun } from "../local-command.ts";
import { idTokenByDevice } from "./device-flow.ts";
import type { NewSession } from "./new-session.ts";
import { fromStdin, fromTerminal, logInByPassword, replacePassword } from "./password-login.ts";

interface SignInOptions {
  issuers: { issuer: string; label: string; clientId: string; local: boolean }[];
  passwords: boolean;
}

const defaultUser = "admin";

export const runLogin: LocalRun = async (context, options) => {
  const { io, global } = context;
  const url = await loginUrl(io, global);
  if (global.url === undefined) say(io, `Logging in to ${url}; --url chooses another server.`);
  if (isOpenOnTheWay(url)) say(io, `warning: ${url} has no TLS: your password and everything else can be read on the way`);
  const session = await begun(context, url, options);
  await storeLogin(io, url, { token: session.token, user: session.user, expiresAt: session.expiresAt });
  say(io, `Logged in to ${url} as ${session.user} until ${session.expiresAt}.`);
  if (io.env["QINFRA_API_KEY"] !== undefined) say(io, "warning: QINFRA_API_KEY is set, and commands use it instead of this login");
  return exit.done;
};

async function begun(context: CliContext, url: string, options: Record<string, unknown>): Promise<NewSession & { user: string }> {
  const { io } = context;
  const byPassword = options["password"] === true || options["passwordStdin"] === true || options["user"] !== undefined;
  const user = typeof options["user"] === "string" ? options["user"] : defaultUser;
  const wanted = typeof options["issuer"] === "string" ? options["issuer"] : undefined;
  if (byPassword && wanted !== undefined) throw new CliError("--issuer is for signing in with a browser, --user and --password are for passwords.", { next: "leave one of them out" });
  if (options["passwordStdin"] === true) return logInByPassword(context, url, user, await fromStdin(io));
  if (byPassword) return logInByPassword(context, url, user, fromTerminal(io, user));
  const offered = (await callOperation(io, { url }, context.operation("sessions.sign-in-options"), { input: {} })) as SignInOptions;
  if (offered.issuers.length > 0) return logInByDevice(context, url, chosen(offered.issuers, wanted));
  if (wanted !== undefined || !offered.passwords) throw new CliError(`Nobody signs in to ${url} with a command line: it names no issuer that has the device flow.`, { next: "use an API key in QINFRA_API_KEY, or ask an administrator" });
  return logInByPassword(context, url, user, fromTerminal(io, user));
}

/** The one that is wanted, by its address or its label; else the server's own, else the only one. */
function chosen(issuers: SignInOptions["issuers"], wanted: string | undefined): SignInOptions["issuers"][number] {
  const names = issuers.map(({ issuer, label }) => `${printable(label)} (${printable(issuer)})`).join(", ");
  if (wanted !== undefined) {
    const found = issuers.find(({ issuer, label }) => issuer === wanted || label.toLowerCase() === wanted.toLowerCase());
    if (found !== undefined) return found;
    throw new CliError(`The server names no issuer ${wanted}.`, { next: `choose one of: ${names}` });
  }
  const found = issuers.find(({ local }) => local) ?? (issuers.length === 1 ? issuers[0] : undefined);
  if (found !== undefined) return found;
  throw new CliError("People sign in here at several issuers.", { next: `choose one with --issuer: ${names}` });
}

async function logInByDevice(context: CliContext, url: string, { issuer, clientId, local }: SignInOptions["issuers"][number]): Promise<NewSession & { user: string }> {
  const { io, global: { organization } } = context;
  if (local && isLoopback(issuer) && !isLoopback(url)) {
    throw new CliError(`${url} signs people in at ${issuer}, which is the server's own machine.`, { next: "an administrator sets PUBLIC_URL; qinfra login --password needs no browser" });
  }
  if (!local && isOpenOnTheWay(issuer)) say(io, `warning: ${printable(issuer)} has no TLS: what you do there can be read on the way`);
  // The server's own issuer is the server, whatever it calls itself.
  const idToken = await idTokenByDevice(io, { issuer, clientId, ...(local && { reachedAt: url }) });
  const input = { idToken, door: "cli", ...(organization !== undefined && { organization }) };
  const session = (await callOperation(io, { url }, context.operation("sessions.exchange"), { input })) as NewSession;
  const connection = { url, token: session.token };
  if (session.mustChangePassword) {
    const passwords = fromTerminal(io, "yours, the one-time one");
    await replacePassword(context, connection, await passwords.first(), passwords);
  }
  const { user } = (await callOperation(io, connection, context.operation("users.me"), { input: {} })) as { user: { name: string } };
  return { ...session, user: printable(user.name) };
}

/** Sets a new password with the login that there is. */
export const runPassword: LocalRun = async (context, options) => {
  const { io } = context;
  const connection = await context.connected();
  const passwords = options["passwordStdin"] === true ? await fromStdin(io) : fromTerminal(io, "the present login");
  const currentPassword = await passwords.first();
  const newPassword = await passwords.replacement();
  await callOperation(io, connection, context.operation("users.set-password"), { input: { currentPassword, newPassword } });
  say(io, "The new password is set.");
  return exit.done;
};

export const runLogout: LocalRun = async (context) => {
  const { io, global } = context;
  const { current, logins } = await readCredentials(io);
  const given = global.url ?? (io.env["QINFRA_URL"] || undefined);
  const url = given === undefined ? current : serverUrl(given, global.url === undefined ? "QINFRA_URL" : "--url");
  const login = url === undefined ? undefined : logins[url];
  if (url === undefined || login === undefined) {
    say(io, url === undefined ? "You are not logged in." : `You are not logged in to ${url}.`);
    return exit.done;
  }
  const ended = await endSession(context, { url, token: login.token });
  await forgetLogin(io, url);
  if (ended === undefined) {
    say(io, `Logged out of ${url}.`);
    return exit.done;
  }
  const until = login.expiresAt === undefined ? "" : ` until ${login.expiresAt}`;
  throw new CliError(`The login was taken out of ${credentialsPath(io.env)}, but the session could not be ended and lasts${until}: ${ended.message}`, { next: "end it with `qinfra sessions delete` from another login" });
};

/** The reason why the session goes on, if it does. A session that is over already is ended. */
async function endSession(context: CliContext, connection: Connection): Promise<CliError | undefined> {
  try {
    await callOperation(context.io, connection, context.operation("sessions.delete"), { input: { id: "current" } });
    return undefined;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return error.problem?.status === 401 || error.problem?.status === 404 ? undefined : error;
  }
}
