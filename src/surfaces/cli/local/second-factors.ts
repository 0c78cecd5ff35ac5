import { encodeQR } from "qr";
import { callOperation } from "../client.ts";
import type { Connection } from "../connection.ts";
import { CliError, printable } from "../errors.ts";
import { exit } from "../exit-codes.ts";
import { say, write, type CliIo } from "../io.ts";
import type { CliContext, LocalRun } from "../local-command.ts";
import { askSecret, readLines } from "./prompt.ts";

const codeQuestion = "Code of your authenticator app, or a recovery code: ";
const attempts = 3;

/** Gives a second factor in the session of this login. */
export const runConfirm: LocalRun = async (context, options) => {
  const { io } = context;
  const connection = await context.connected();
  const code = options["codeStdin"] === true ? ((await readLines(io, 1))[0] ?? "").trim() : await ask(io, codeQuestion);
  if (code === "") throw new CliError("No code was given.", { next: "run qinfra confirm again, with the code that the app shows now" });
  const { until } = (await callOperation(io, connection, context.operation("sessions.confirm"), { input: { code } })) as { until: string };
  say(io, `Confirmed until ${until}.`);
  return exit.done;
};

/** Adds an authenticator app: shows its secret, takes the first code, prints the recovery codes. */
export const runAddTotp: LocalRun = async (context) => {
  const { io } = context;
  if (io.stdin.isTTY !== true) throw new CliError("An authenticator app is added in a terminal, or on the account page of the server.", { next: "run it in a terminal" });
  const connection = await context.connected();
  const { secret, uri } = await begun(context, connection);
  say(io, `\n${encodeQR(uri, "ascii", { ecc: "low", border: 2 })}`);
  say(io, `Scan this with the app, or type the key into it: ${printable(secret)}`);
  const { recoveryCodes = [], endedSessions } = await confirmed(context, connection);
  say(io, "The authenticator app is added.");
  if (endedSessions > 0) say(io, `Your other sessions, which began without a second factor, have ended: ${endedSessions}.`);
  if (recoveryCodes.length === 0) return exit.done;
  say(io, "Recovery codes, each good once in place of the app. They are shown now only:");
  await write(io, `${recoveryCodes.map(printable).join("\n")}\n`);
  return exit.done;
};

/** The password is asked for only where the sign-in is too long ago. */
async function begun({ io, operation }: CliContext, connection: Connection): Promise<{ secret: string; uri: string }> {
  const begin = async (input: Record<string, unknown>) => (await callOperation(io, connection, operation("second-factors.add-totp"), { input })) as { secret: string; uri: string };
  try {
    return await begin({});
  } catch (error) {
    if (!(error instanceof CliError) || error.problem?.code !== "sign-in-again") throw error;
    return begin({ currentPassword: await ask(io, "Your current password: ") });
  }
}

async function confirmed({ io, operation }: CliContext, connection: Connection): Promise<{ recoveryCodes?: string[]; endedSessions: number }> {
  for (let attempt = 1; ; attempt++) {
    const code = (await ask(io, "First code that the app shows: ")).replaceAll(/\s/g, "");
    try {
      return (await callOperation(io, connection, operation("second-factors.confirm-totp"), { input: { code } })) as { recoveryCodes?: string[]; endedSessions: number };
    } catch (error) {
      const wrong = error instanceof CliError && (error.problem?.code === "wrong-code" || error.problem?.code === "invalid-input");
      if (!wrong || attempt === attempts) throw error;
      say(io, error.message);
    }
  }
}

function ask(io: CliIo, question: string): Promise<string> {
  if (io.stdin.isTTY !== true) throw new CliError("There is no terminal to ask for the code.", { next: "give it on standard input, with --code-stdin" });
  return askSecret(io, question);
}
