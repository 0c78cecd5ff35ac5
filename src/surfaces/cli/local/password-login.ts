import { callOperation } from "../client.ts";
import type { Connection } from "../connection.ts";
import { CliError } from "../errors.ts";
import { say, type CliIo } from "../io.ts";
import type { CliContext } from "../local-command.ts";
import type { NewSession } from "./new-session.ts";
import { askSecret, readLines } from "./prompt.ts";

/** Where the passwords come from: the terminal or standard input. */
export interface Passwords {
  first(): Promise<string>;
  /** Asked for where the one-time password has to be replaced. */
  replacement(): Promise<string>;
  /** A code of the second factor, where one is asked for; undefined where none can be given. */
  code?(): Promise<string>;
}

/** Begins a session by name and password, for terminals without a browser. */
export async function logInByPassword(context: CliContext, url: string, user: string, passwords: Passwords): Promise<NewSession & { user: string }> {
  const password = await passwords.first();
  const { organization } = context.global;
  const input = { name: user, password, door: "cli", ...(organization !== undefined && { organization }) };
  const session = await created(context, url, input, passwords);
  if (session.mustChangePassword) await replacePassword(context, { url, token: session.token }, password, passwords);
  return { ...session, user };
}

async function created({ io, operation }: CliContext, url: string, input: Record<string, unknown>, { code }: Passwords): Promise<NewSession> {
  const begin = async (given: Record<string, unknown>) => (await callOperation(io, { url }, operation("sessions.create"), { input: given })) as NewSession;
  try {
    return await begin(input);
  } catch (error) {
    if (!(error instanceof CliError) || error.problem?.code !== "second-factor-needed" || code === undefined) throw error;
    return begin({ ...input, code: await code() });
  }
}

export async function replacePassword({ io, operation }: CliContext, connection: Connection, currentPassword: string, passwords: Passwords): Promise<void> {
  say(io, "This is a one-time password; choose a new one.");
  const newPassword = await passwords.replacement();
  await callOperation(io, connection, operation("users.set-password"), { input: { currentPassword, newPassword } });
  say(io, "The new password is set.");
}

/** `whose` as in the question: `Password of admin: `. */
export function fromTerminal(io: CliIo, whose: string): Passwords {
  return {
    first: () => askSecret(io, `Password of ${whose}: `),
    async replacement() {
      for (let attempt = 0; attempt < 3; attempt++) {
        const password = await askSecret(io, "New password (12 characters or more): ");
        if (password === (await askSecret(io, "The same again: "))) return password;
        say(io, "These are two different passwords.");
      }
      throw new CliError("No new password was set.", { next: "run qinfra login again" });
    },
    code: () => askSecret(io, "Code of your authenticator app, or a recovery code: "),
  };
}

/** The password in the first line; in the second a new one where one must be set, or else the code of a second factor. */
export async function fromStdin(io: CliIo): Promise<Passwords> {
  const [first = "", second = ""] = await readLines(io, 2);
  if (first === "") throw new CliError("Standard input holds no password in its first line.", { next: "qinfra login --password-stdin < FILE" });
  return {
    first: async () => first,
    async replacement() {
      if (second !== "") return second;
      throw new CliError("Standard input holds no new password.", { next: "put the new password into the second line, or run qinfra login --password in a terminal" });
    },
    ...(second !== "" && { code: async () => second }),
  };
}
