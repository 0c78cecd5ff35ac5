import { Argument, Option } from "commander";
import { completionScripts, shells, type Shell } from "../completion/scripts.ts";
import { exit } from "../exit-codes.ts";
import { write } from "../io.ts";
import type { LocalCommand } from "../local-command.ts";

export const completionCommand: LocalCommand = {
  name: "completion",
  summary: "Print the completion script of a shell",
  offline: true,
  configure(command) {
    command.addArgument(new Argument("<shell>", "Shell").choices(shells));
    command.addHelpText("after", "\nExamples:\n  source <(qinfra completion bash)\n  qinfra completion fish | source");
  },
  async load() {
    return async ({ io }, _options, [shell]) => {
      await write(io, completionScripts[shell as Shell]);
      return exit.done;
    };
  },
};

export const configCommand: LocalCommand = {
  name: "config",
  summary: "Print the effective settings, secrets masked",
  configure(command) {
    command.addOption(new Option("--output <format>", "Format of standard output").choices(["table", "json", "yaml"]).default("table"));
  },
  load: async () => (await import("./config.ts")).runConfig,
};

/** `help` is answered before the commands are read; it is here to be listed. */
export const helpCommand: LocalCommand = {
  name: "help",
  summary: "Help on a command, or on exit-codes",
  offline: true,
  configure: (command) => void command.argument("[command...]", "Words of a command, or exit-codes"),
  async load() {
    return async () => exit.done;
  },
};
