import { fieldsOf, type Field } from "./fields.ts";
import type { OperationRecord } from "./manifest.ts";

/** The words after `qinfra` that call an operation with this input. */
export function commandWords(operation: OperationRecord, input: Record<string, unknown>): string[] {
  const words = operation.cli?.name.split(" ") ?? [];
  const fields = fieldsOf(operation);
  const positional = fields.filter((field) => field.flag === undefined && input[field.name] !== undefined);
  const options = fields.filter((field) => field.flag !== undefined && input[field.name] !== undefined);
  const file = operation.body === undefined ? [] : ["--file", "FILE"];
  return [...words, ...positional.flatMap((field) => valuesOf(field, input[field.name])), ...options.flatMap((field) => optionWords(field, input[field.name])), ...file];
}

/** The same as a line that a POSIX shell reads. */
export function commandLine(operation: OperationRecord, input: Record<string, unknown>): string {
  return ["qinfra", ...commandWords(operation, input)].map(shellWord).join(" ");
}

function optionWords(field: Field, value: unknown): string[] {
  const flag = field.flag as string;
  if (field.kind.kind === "boolean") return [value === true ? flag : flag.replace("--", "--no-")];
  return valuesOf(field, value).flatMap((text) => [flag, text]);
}

function valuesOf(field: Field, value: unknown): string[] {
  if (field.kind.kind === "array" && Array.isArray(value)) return value.map(textOf);
  if (field.kind.kind === "map" && value !== null) return Object.entries(value as Record<string, string>).map(([key, item]) => `${key}=${item}`);
  return [textOf(value)];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
