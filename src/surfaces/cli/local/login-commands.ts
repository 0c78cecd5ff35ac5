import { Option } from "commander";
import { defaultUrl } from "../connection.ts";
import type { LocalCommand } from "../local-command.ts";

export const loginCommand: LocalCommand = {
  name: "login",
  summary: "Log in to a server; other commands then use it",
  configure(command) {
    command
      .option("--issuer <name>", "Where to sign in, by address or label, where the server offers several")
      .option("--password", "Log in by name and password, in a terminal without a browser")
      .option("--user <name>", "Name to log in with by password; admin without it")
      .addOption(new Option("--password-stdin", "Read the password from the first line of standard input, and from the second a new one where one must be set, or a code"))
      .addHelpText("after", `
Without --url it is QINFRA_URL, else the server that you logged in to last, else ${defaultUrl}. It shows a page and a
code; sign in there with a browser on any device. With --password the password is asked for; it is never an argument,
which others could see. The session is kept in $QINFRA_HOME/credentials.json (default ~/.qinfra), which only you can
read.

Examples:
  qinfra login
  qinfra login --url https://qinfra.example.org
  qinfra login --url https://qinfra.example.org --issuer "Example Corp"
  qinfra login --password --user ada
  qinfra login --password-stdin < password-file`);
  },
  load: async () => (await import("./login.ts")).runLogin,
};

export const passwordCommand: LocalCommand = {
  name: "password",
  summary: "Change your password",
  configure(command) {
    command
      .addOption(new Option("--password-stdin", "Read the present password from the first line of standard input and the new one from the second"))
      .addHelpText("after", "\nBoth are asked for; they are never arguments, which others could see. Your other sessions end.");
  },
  load: async () => (await import("./login.ts")).runPassword,
};

export const logoutCommand: LocalCommand = {
  name: "logout",
  summary: "End the session and forget it",
  configure: () => undefined,
  load: async () => (await import("./login.ts")).runLogout,
};
