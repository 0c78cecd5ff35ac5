import { Argument, Option } from "commander";
import type { LocalCommand } from "../local-command.ts";
import { streamFormats } from "../output/render.ts";

export const watchWorkflowCommand: LocalCommand = {
  name: "workflows watch",
  summary: "Follow a run of a workflow until it ends",
  configure(command) {
    command.addArgument(new Argument("<id>", "Run of a workflow"));
    command.addOption(new Option("--output <format>", "Format of standard output").choices(streamFormats).default("table").helpGroup("Running and output:"));
    command.addHelpText("after", "\nSteps are shown as they finish, times in UTC. Goes on where the server was away for a while.\n\nExamples:\n  qinfra workflows watch run_01jd0000000000000000000000\n\nExit codes: 0 it succeeded, 1 it failed or was cancelled, 2 could not be done.");
  },
  load: async () => (await import("./watch-workflow.ts")).watchWorkflow,
};
