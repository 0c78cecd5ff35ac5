import { InvalidArgumentError } from "commander";
import type { OperationRecord } from "./manifest.ts";
import { isNullable, kebab, kindOf, type FieldKind, type JsonSchema } from "./schema.ts";

/** An input field of an operation as a person gives it. */
export interface Field {
  name: string;
  kind: FieldKind;
  /** `--kebab-case`; absent for a field that is given by position. */
  flag?: string;
  required: boolean;
  description: string;
  nullable: boolean;
  default?: unknown;
}

/** Options that commands have beside the fields; a field of the same name is given as `--NAME-value`. */
const reserved = new Set(["--help", "--output", "--url", "--organization", "--all", "--batch", "--idempotency-key", "--file", "--version"]);

export function fieldsOf(operation: OperationRecord): Field[] {
  const { properties = {}, required = [] } = operation.input;
  const positional = operation.cli?.positional ?? [];
  const names = [...positional, ...Object.keys(properties).filter((name) => !positional.includes(name))];
  return names.map((name) => {
    const schema = properties[name] ?? {};
    const flag = `--${kebab(name)}`;
    return {
      name,
      kind: kindOf(schema),
      required: required.includes(name) && schema.default === undefined,
      description: descriptionOf(schema),
      nullable: isNullable(schema),
      ...(!positional.includes(name) && { flag: reserved.has(flag) ? `${flag}-value` : flag }),
      ...(schema.default !== undefined && { default: schema.default }),
    };
  });
}

function descriptionOf(schema: JsonSchema): string {
  return schema.description ?? schema.anyOf?.find((option) => option.description !== undefined)?.description ?? "";
}

/** What stands for the value in help: `<n>`, `<text>`. */
export function placeholder(kind: FieldKind): string {
  if (kind.kind === "integer" || kind.kind === "number") return "n";
  if (kind.kind === "map") return "key=value";
  if (kind.kind === "json") return "json";
  if (kind.kind === "choice") return "word";
  return kind.kind === "array" ? placeholder(kind.item) : "text";
}

export function isRepeatable(kind: FieldKind): boolean {
  return kind.kind === "array" || kind.kind === "map";
}

/** The words that a value can be, or those of its items. */
export function choicesOfKind(kind: FieldKind): readonly string[] | undefined {
  const one = kind.kind === "array" ? kind.item : kind;
  return one.kind === "choice" ? one.choices : undefined;
}

/** The help text of a field: what it is, what it may be, what holds without it. */
export function fieldHelp(field: Field): string {
  const notes: string[] = [];
  if (field.required && field.flag !== undefined) notes.push("required");
  if (field.default !== undefined) notes.push(`default: ${typeof field.default === "string" ? field.default : JSON.stringify(field.default)}`);
  if (isRepeatable(field.kind)) notes.push("can be repeated");
  if (field.nullable) notes.push("null: none");
  return [field.description, notes.length === 0 ? "" : `(${notes.join("; ")})`].filter((part) => part !== "").join(" ");
}

/** Stands for null while options are parsed: commander makes an empty text of null itself. */
export const nullValue = Symbol("null");

/** Reads one value of the command line; `before` is what the same option gave earlier. Throws InvalidArgumentError. */
export function readValue(field: Field, text: string, before: unknown): unknown {
  if (field.nullable && text === "null") return nullValue;
  if (field.kind.kind === "array") return [...(Array.isArray(before) ? before : []), readAs(field.kind.item, text)];
  if (field.kind.kind === "map") return { ...(before as Record<string, string> | undefined), ...readMap(text) };
  return readAs(field.kind, text);
}

function readAs(kind: FieldKind, text: string): unknown {
  if (kind.kind === "choice") return readChoice(kind.choices, text);
  if (kind.kind === "integer" || kind.kind === "number") return readNumber(kind, text);
  if (kind.kind === "boolean") return readChoice(["true", "false"], text) === "true";
  if (kind.kind === "map") return readMap(text);
  return kind.kind === "string" ? text : readJson(text);
}

function readChoice(choices: readonly string[], text: string): string {
  if (choices.includes(text)) return text;
  throw new InvalidArgumentError(`It must be one of: ${choices.join(", ")}.`);
}

function readNumber({ kind, minimum, maximum }: Extract<FieldKind, { kind: "integer" | "number" }>, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || (kind === "integer" && !Number.isSafeInteger(value))) {
    throw new InvalidArgumentError(kind === "integer" ? "It must be a whole number." : "It must be a number.");
  }
  if (minimum !== undefined && value < minimum) throw new InvalidArgumentError(`It must be ${minimum} or more.`);
  if (maximum !== undefined && value > maximum) throw new InvalidArgumentError(`It must be ${maximum} or less.`);
  return value;
}

function readMap(text: string): Record<string, string> {
  if (text.trimStart().startsWith("{")) {
    const value = readJson(text) as Record<string, unknown>;
    if (Object.values(value).every((item) => typeof item === "string")) return value as Record<string, string>;
    throw new InvalidArgumentError("Its values must be text.");
  }
  const equals = text.indexOf("=");
  if (equals > 0) return { [text.slice(0, equals)]: text.slice(equals + 1) };
  throw new InvalidArgumentError("It must be KEY=VALUE.");
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError("It must be JSON.");
  }
}
