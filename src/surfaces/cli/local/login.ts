import { callOperation } from "../client.ts";
import { defaultUrl, isOpenOnTheWay, serverUrl, type Connection } from "../connection.ts";
import { credentialsPath, forgetLogin, readCredentials, storeLogin } from "../credentials.ts";
import { CliError } from "../errors.ts";
import { exit } from "../exit-codes.ts";
import { say, type CliIo } from "../io.ts";
import type { CliContext, LocalRun } from "../local-command.ts";
import { askSecret, readLines } from "./prompt.ts";

interface NewSession {
  token: string;
  expiresAt: string;
  mustChangePassword: boolean;
}

/** Where the passwords come from: the terminal or standard input. */
interface Passwords {
  first(): Promise<string>;
  /** Asked for where the one-time password has to be replaced. */
  replacement(): Promise<string>;
}

export const runLogin: LocalRun = async (context, options) => {
  const { io, global } = context;
  const url = serverUrl(global.url ?? (io.env["QINFRA_URL"] || defaultUrl), global.url === undefined ? "QINFRA_URL" : "--url");
  if (isOpenOnTheWay(url)) say(io, `warning: ${url} has no TLS: your password and everything else can be read on the way`);
  const user = String(options["user"]);
  const passwords = options["passwordStdin"] === true ? await fromStdin(io) : fromTerminal(io, user);
  const password = await passwords.first();
  const { organization } = global;
  const input = { name: user, password, door: "cli", ...(organization !== undefined && { organization }) };
  const session = (await callOperation(io, { url }, context.operation("sessions.create"), { input })) as NewSession;
  if (session.mustChangePassword) await replacePassword(context, { url, token: session.token }, password, passwords);
  await storeLogin(io, url, { token: session.token, user, expiresAt: session.expiresAt });
  say(io, `Logged in to ${url} as ${user} until ${session.expiresAt}.`);
  if (io.env["QINFRA_API_KEY"] !== undefined) say(io, "warning: QINFRA_API_KEY is set, and commands use it instead of this login");
  return exit.done;
};

async function replacePassword(context: CliContext, connection: Connection, currentPassword: string, passwords: Passwords): Promise<void> {
  const { io } = context;
  say(io, "This is a one-time password; choose a new one.");
  const newPassword = await passwords.replacement();
  await callOperation(io, connection, context.operation("users.set-password"), { input: { currentPassword, newPassword } });
  say(io, "The new password is set.");
}

function fromTerminal(io: CliIo, user: string): Passwords {
  return {
    first: () => askSecret(io, `Password of ${user}: `),
    async replacement() {
      for (let attempt = 0; attempt < 3; attempt++) {
        const password = await askSecret(io, "New password (12 characters or more): ");
        if (password === (await askSecret(io, "The same again: "))) return password;
        say(io, "These are two different passwords.");
      }
      throw new CliError("No new password was set.", { next: "run qinfra login again" });
    },
  };
}

async function fromStdin(io: CliIo): Promise<Passwords> {
  const [first = "", second = ""] = await readLines(io, 2);
  if (first === "") throw new CliError("Standard input holds no password in its first line.", { next: "qinfra login --password-stdin < FILE" });
  return {
    first: async () => first,
    async replacement() {
      if (second !== "") return second;
      throw new CliError("Standard input holds no new password.", { next: "put the new password into the second line, or run qinfra login in a terminal" });
    },
  };
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

