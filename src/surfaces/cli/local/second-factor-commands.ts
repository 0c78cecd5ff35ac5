import { Option } from "commander";
import type { LocalCommand } from "../local-command.ts";

const codeStdin = () => new Option("--code-stdin", "Read the code from the first line of standard input");

export const confirmCommand: LocalCommand = {
  name: "confirm",
  summary: "Give a second factor, for what asks for it anew",
  configure(command) {
    command.addOption(codeStdin()).addHelpText("after", `
The code is asked for; it is never an argument, which others could see. It counts for five minutes, for this login.

Examples:
  qinfra confirm
  qinfra second-factors new-recovery-codes`);
  },
  load: async () => (await import("./second-factors.ts")).runConfirm,
};

export const addTotpCommand: LocalCommand = {
  name: "second-factors add-totp",
  summary: "Add an authenticator app as a second factor",
  configure(command) {
    command.addHelpText("after", `
Shows a QR code and the key for the app in the terminal, asks for its first code, and prints the recovery codes that come
with a first second factor to standard output, once.

Examples:
  qinfra second-factors add-totp`);
  },
  load: async () => (await import("./second-factors.ts")).runAddTotp,
};
