import { readFile } from "node:fs/promises";
import { CommanderError } from "commander";
import { connectionOf } from "./connection.ts";
import { CliError, errorText, problemError } from "./errors.ts";
import { exit, exitCodesHelp } from "./exit-codes.ts";
import { say, type CliIo } from "./io.ts";
import { localCommands } from "./local/commands.ts";
import type { CliContext } from "./local-command.ts";
import type { OperationManifest } from "./manifest.ts";
import { createProgram, type Outcome } from "./program.ts";

export type { CliIo } from "./io.ts";
export type { LocalCommand, LocalRun } from "./local-command.ts";
export { processIo, endProcess } from "./process-io.ts";

/** Runs one command line (the words after `qinfra`) and resolves with its exit code; it throws nothing. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const running = run(argv, io);
  try {
    return await Promise.race([running, interrupted(io.signal)]);
  } catch (error) {
    if (!io.signal.aborted) return report(io, error);
    await tidied(running);
    return interruptedCode(io.signal);
  }
}

const tidyMs = 1_000;

/** A command that was interrupted removes its temporary files; what cannot be interrupted is not waited for. */
async function tidied(running: Promise<number>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, tidyMs);
  running.then(() => resolve(), () => resolve());
  await promise;
  clearTimeout(timer);
}

async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const words = helpWords(argv);
  if (words === undefined) {
    io.stdout.write(`${exitCodesHelp}\n`);
    return exit.done;
  }
  const manifest = await readManifest(io.manifestPath);
  const local = [...(io.commands ?? []), ...localCommands];
  const context: CliContext = {
    io, manifest, global: {},
    connection() {
      return connectionOf(io, this.global);
    },
    async connected() {
      const connection = await this.connection();
      if (connection !== undefined) return connection;
      throw new CliError("No server is configured, and this command needs one.", { next: "run `qinfra login`, set QINFRA_URL, or give --url" });
    },
    operation(id) {
      const found = manifest.operations.find((operation) => operation.id === id);
      if (found === undefined) throw new CliError(`This build has no operation ${id}.`, { next: "build it again: npm run build" });
      return found;
    },
  };
  const outcome: Outcome = { code: exit.done };
  const program = createProgram(context, local, outcome);
  if (words[0] === "__complete") {
    const { completeWords } = await import("./completion/complete.ts");
    io.stdout.write(completeWords(program, words.slice(1)));
    return exit.done;
  }
  await program.parseAsync(words, { from: "user" });
  return outcome.code;
}

/** `help images list` is `images list --help`; undefined for the one topic that is no command. */
function helpWords(argv: readonly string[]): readonly string[] | undefined {
  if (argv[0] !== "help") return argv;
  return argv[1] === "exit-codes" ? undefined : [...argv.slice(1), "--help"];
}

async function readManifest(path: string): Promise<OperationManifest> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as OperationManifest;
  } catch (error) {
    throw new CliError("The list of operations, which the build writes, cannot be read.", { next: "build it again: npm run build", cause: error });
  }
}

async function report(io: CliIo, error: unknown): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exit.done : exit.failed;
  const known = error instanceof CliError ? error : await asCliError(error);
  if (known !== undefined) {
    say(io, errorText(known));
    return known.exitCode;
  }
  say(io, errorText(new CliError(`This should not happen: ${error instanceof Error ? error.message : String(error)}`, { next: "report it, with what QINFRA_DEBUG=1 prints" })));
  if (io.env["QINFRA_DEBUG"] !== undefined && error instanceof Error) say(io, error.stack ?? "");
  return exit.failed;
}

/** Errors that parsers and pure operations throw, loaded only when there is one. */
async function asCliError(error: unknown): Promise<CliError | undefined> {
  const { DeclaredError, toProblem } = await import("../../platform/errors.ts");
  if (error instanceof DeclaredError) return problemError(toProblem(error));
  const { InputError } = await import("../../modules/software/input-error.ts");
  const { FeedError } = await import("../../modules/vulnerabilities/feeds/feed-error.ts");
  const isInput = error instanceof InputError || error instanceof FeedError;
  return isInput ? new CliError(error.message.endsWith(".") ? error.message : `${error.message}.`, { cause: error }) : undefined;
}

function interrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function interruptedCode(signal: AbortSignal): number {
  return typeof signal.reason === "number" ? signal.reason : exit.interrupted;
}
