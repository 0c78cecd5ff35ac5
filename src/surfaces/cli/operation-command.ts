import { Argument, Option, type Command } from "commander";
import { commandLine } from "./command-line.ts";
import { CliError } from "./errors.ts";
import { choicesOfKind, fieldHelp, fieldsOf, isRepeatable, nullValue, placeholder, readValue, type Field } from "./fields.ts";
import { addGlobalOptions } from "./global-options.ts";
import type { CliContext } from "./local-command.ts";
import type { OperationRecord } from "./manifest.ts";
import { formats, streamFormats, type Format } from "./output/render.ts";
import type { Outcome } from "./program.ts";

/** Makes the command of an operation: its fields as arguments and options, its examples as command lines. */
export function addOperation(command: Command, context: CliContext, operation: OperationRecord, outcome: Outcome): void {
  const fields = fieldsOf(operation);
  const words = fields.filter((field) => field.flag === undefined);
  command.summary(operation.summary).description([operation.summary, operation.description].filter((text) => text !== undefined).join("\n\n"));
  command.usage([...words.map((field) => (field.required ? `<${field.name}>` : `[${field.name}]`)), "[options]"].join(" "));
  // Whether they are required is asked when all is known: a batch gives them line by line.
  for (const field of words) {
    command.addArgument(reading(field, new Argument(`[${field.name}${isRepeatable(field.kind) ? "..." : ""}]`, fieldHelp(field))));
  }
  for (const field of fields) if (field.flag !== undefined) addField(command, field, operation);
  addOwnOptions(command, operation);
  addGlobalOptions(command);
  command.addHelpText("after", () => examplesOf(operation));
  command.action(async () => {
    outcome.code = await start(command, context, operation, fields);
  });
}

function addField(command: Command, field: Field, { effect }: OperationRecord): void {
  const flag = field.flag as string;
  const help = fieldHelp(field);
  if (field.kind.kind === "boolean") {
    const opposite = flag.replace("--", "--no-");
    const changes = effect === "change" || effect === "destructive";
    command.addOption(new Option(flag, changes && field.default !== false ? `${help} (${opposite}: false)` : help));
    command.addOption(new Option(opposite, "").hideHelp());
    return;
  }
  command.addOption(reading(field, new Option(`${flag} <${placeholder(field.kind)}>`, help)));
}

/** The choices stand in help and completion; reading is ours in every case. */
function reading<T extends Option | Argument>(field: Field, target: T): T {
  const choices = choicesOfKind(field.kind);
  if (choices !== undefined) target.choices(choices);
  target.argParser((text: string, before: unknown) => readValue(field, text, before));
  return target;
}

function addOwnOptions(command: Command, operation: OperationRecord): void {
  const group = "Running and output:";
  command.addOption(new Option("--output <format>", "Format of standard output").choices(operation.stream === undefined ? formats : streamFormats).default("table").helpGroup(group));
  if (operation.stream !== undefined) return;
  if (operation.list) command.addOption(new Option("--all", "Follow the list to its end").helpGroup(group));
  if (operation.body !== undefined) command.addOption(new Option("--file <path>", `${operation.body.description}; - is standard input`).helpGroup(group));
  else command.addOption(new Option("--batch <file>", "Run once for each line of this file, which holds JSON inputs; - is standard input").helpGroup(group));
  if (operation.effect === "change" || operation.effect === "destructive") {
    command.addOption(new Option("--idempotency-key <key>", "Repeating the command with the same key changes nothing twice").helpGroup(group));
  }
}

async function start(command: Command, context: CliContext, operation: OperationRecord, fields: readonly Field[]): Promise<number> {
  const options = command.opts() as Record<string, unknown> & { output: Format; all?: boolean; batch?: string; idempotencyKey?: string; file?: string; url?: string; organization?: string };
  const input = inputOf(command, fields, options);
  const { url, organization, idempotencyKey, batch, file } = options;
  const global = { ...context.global, ...command.parent?.optsWithGlobals(), ...(url !== undefined && { url }), ...(organization !== undefined && { organization }) };
  const scoped = { ...context, global };
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  if (batch !== undefined) {
    const { runBatch } = await import("./batch.ts");
    return runBatch(scoped, operation, input, batch, idempotencyKey);
  }
  checkRequired(command, operation, fields, input, file);
  if (operation.stream !== undefined) {
    const { runStream } = await import("./run-stream.ts");
    return runStream(scoped, operation, input, options.output);
  }
  const { runOperation } = await import("./run-operation.ts");
  return runOperation(scoped, { operation, input, format: options.output, all: options.all === true, ...key, ...(file !== undefined && { file }) });
}

function inputOf(command: Command, fields: readonly Field[], options: Record<string, unknown>): Record<string, unknown> {
  const input: Record<string, unknown> = {};
  let position = 0;
  for (const field of fields) {
    const value = field.flag === undefined ? command.processedArgs[position++] : options[new Option(field.flag).attributeName()];
    if (value !== undefined) input[field.name] = value === nullValue ? null : value;
  }
  return input;
}

function checkRequired(command: Command, operation: OperationRecord, fields: readonly Field[], input: Record<string, unknown>, file: string | undefined): void {
  const missing = fields.filter((field) => field.required && input[field.name] === undefined).map((field) => field.flag ?? `<${field.name}>`);
  if (operation.body !== undefined && file === undefined) missing.push("--file");
  if (missing.length === 0) return;
  throw new CliError(`${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} missing.`, { next: `qinfra ${operation.cli?.name} ${command.usage()}; more by --help` });
}

function examplesOf(operation: OperationRecord): string {
  const lines = operation.examples.flatMap(({ input, summary }) => [...(summary === undefined ? [] : [`  # ${summary}`]), `  ${commandLine(operation, input)}`]);
  const examples = lines.length === 0 ? "" : `\nExamples:\n${lines.join("\n")}\n`;
  const errors = operation.errors.length === 0 ? "" : ` Errors of its own: ${operation.errors.map((error) => error.code).join(", ")}.`;
  return `${examples}\nExit codes: 0 done, 1 refused, 2 could not be done (qinfra help exit-codes).${errors}`;
}
