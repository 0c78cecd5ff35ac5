import type { LocalCommand } from "../surfaces/cli/index.ts";

/** How the first administrator gets in where the platform was started with `qinfra serve`, whose log shows no password. */
export const firstPasswordCommand: LocalCommand = {
  name: "first-password",
  summary: "Show the one-time password of the first administrator until it is used",
  offline: true,
  configure(command) {
    command.addHelpText("after", "\nRun it where the server runs, with the same settings, after its first start. qinfra up shows the password by itself.");
  },
  async load() {
    const { runFirstPassword } = await import("./run-first-password.ts");
    return ({ io }) => runFirstPassword(io);
  },
};
