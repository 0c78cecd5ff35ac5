import { Command } from "commander";
import { addGlobalOptions } from "./global-options.ts";
import type { CliContext, LocalCommand } from "./local-command.ts";
import { addOperation } from "./operation-command.ts";

/** Keeps the exit code of the command that ran. */
export interface Outcome {
  code: number;
}

/** The tree of all commands. Where a local command and an operation have the same name, the local one counts. */
export function createProgram(context: CliContext, local: readonly LocalCommand[], outcome: Outcome): Command {
  const { io } = context;
  const program = new Command("qinfra");
  program
    .description("QL-RF, the QuantumLayer Resilience Fabric: images, vulnerabilities, patches, drift, compliance and recovery as one graph.")
    .usage("COMMAND [options]")
    .version(io.version, "-V, --version", "Print the version")
    .helpOption("-h, --help", "Show help")
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => widthFor(io.stdout.columns),
      getErrHelpWidth: () => widthFor(io.stderr.columns),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, writeLine) => writeLine(text.replace("command-argument value", "value")),
    })
    .addHelpText("after", "\nHelp on a command: qinfra help COMMAND. On exit codes: qinfra help exit-codes.");
  addGlobalOptions(program);
  const taken = new Set(local.map((command) => command.name));
  for (const command of local) addLocal(program, context, command, outcome);
  for (const operation of context.manifest.operations) {
    if (operation.cli === undefined || taken.has(operation.cli.name)) continue;
    addOperation(commandAt(program, operation.cli.name, "On the server:"), context, operation, outcome);
  }
  for (const command of program.commands) describeGroup(command);
  return program;
}

function widthFor(columns: number | undefined): number {
  return Math.min(columns ?? 100, 120);
}

function addLocal(program: Command, context: CliContext, local: LocalCommand, outcome: Outcome): void {
  const command = commandAt(program, local.name, "On this machine:").summary(local.summary).description(local.summary);
  if (local.configure === undefined) {
    command.usage("[options]").argument("[arguments...]").allowUnknownOption().passThroughOptions();
  } else {
    local.configure(command);
    if (local.offline !== true) addGlobalOptions(command);
  }
  command.action(async () => {
    const run = await local.load();
    const global = { ...program.opts(), ...command.opts() };
    outcome.code = await run({ ...context, global: { ...context.global, ...global } }, command.opts(), command.args);
  });
}

/** The command with these words, made where it is missing. */
function commandAt(program: Command, name: string, group: string): Command {
  let at = program;
  for (const [depth, word] of name.split(" ").entries()) {
    const known = at.commands.find((command) => command.name() === word);
    at = known ?? at.command(word).helpOption("-h, --help", "Show help").helpCommand(false);
    if (known === undefined && depth === 0) at.helpGroup(group);
  }
  return at;
}

/** A group says what is in it. */
function describeGroup(command: Command): void {
  for (const inner of command.commands) describeGroup(inner);
  if (command.commands.length === 0 || command.summary() !== "") return;
  command.summary(command.commands.map((inner) => inner.name()).join(", "));
  command.usage("COMMAND [options]");
}
