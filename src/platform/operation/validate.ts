import { Compile, type Validator } from "typebox/compile";
import type { TObject, TSchema } from "typebox";
import { DeclaredError, InvalidInput } from "../errors.ts";
import { refuseUnreadable } from "./readable-input.ts";

const compiled = new WeakMap<object, Validator>();

function validatorOf(schema: TSchema): Validator {
  let validator = compiled.get(schema);
  if (validator === undefined) {
    validator = Compile(schema);
    compiled.set(schema, validator);
  }
  return validator;
}

/** One thing that is wrong with an input: a JSON pointer and what must hold there. */
export interface InputFault {
  path: string;
  message: string;
}

/** The input with defaults filled in, or `InvalidInput` that names each fault. Query strings are read as their type. */
export function validateInput(schema: TObject, input: unknown, options: { fromText: boolean }): unknown {
  refuseUnreadable(input); // before anything goes down into it
  const value = isRecord(input) ? completed(schema, input, options.fromText) : input;
  const validator = validatorOf(schema);
  if (validator.Check(value)) return value;
  const faults = faultsOf(schema, validator, value);
  throw new DeclaredError(InvalidInput, faults.map((fault) => `${fault.path}: ${fault.message}`).join("; "), { faults });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A shallow copy with the defaults of absent fields. What lies deeper has no defaults, and can be megabytes. */
function completed(schema: TObject, input: Record<string, unknown>, fromText: boolean): Record<string, unknown> {
  const value = { ...input };
  for (const [name, field] of Object.entries(schema.properties) as [string, FieldSchema][]) {
    if (value[name] === undefined && field.default !== undefined) value[name] = field.default;
    if (fromText && typeof value[name] === "string") value[name] = readText(field, value[name]);
  }
  return value;
}

interface FieldSchema {
  type?: string;
  default?: unknown;
}

/** A number or boolean where the field is one and the text says one; else the text, which the schema then judges. */
function readText({ type }: FieldSchema, text: string): unknown {
  if ((type === "integer" || type === "number") && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

/** The faults of a value against a schema; empty when it is valid. */
export function faultsAgainst(schema: TSchema, value: unknown): InputFault[] {
  const validator = validatorOf(schema);
  return validator.Check(value) ? [] : faultsOf(schema, validator, value);
}

const mostFaults = 10;

function faultsOf(schema: TSchema, validator: Validator, value: unknown): InputFault[] {
  const faults = new Map<string, InputFault>();
  const errors = [...validator.Errors(value)];
  const words = wordsAt(errors);
  for (const error of errors) {
    if (error.message === "schema is false") continue; // said again, with the name, by additionalProperties
    const choices = words.get(error.instancePath);
    if (choices !== undefined && error.keyword === "anyOf") continue; // said by its constants
    const params = error.params as Record<string, unknown>;
    const names = error.keyword === "additionalProperties" ? params["additionalProperties"] : error.keyword === "required" ? params["requiredProperties"] : undefined;
    for (const name of Array.isArray(names) ? names : [undefined]) {
      const path = name === undefined ? error.instancePath || "/" : `${error.instancePath}/${String(name)}`;
      const message = error.keyword === "additionalProperties" ? "is not a known field"
        : error.keyword === "required" ? "is required"
        : error.keyword === "const" && choices !== undefined ? mustBe(choices)
        : error.keyword === "enum" && Array.isArray(params["allowedValues"]) ? mustBe(params["allowedValues"])
        : error.keyword === "format" ? (formats[String(params["format"])] ?? error.message)
        : error.keyword === "pattern" ? (idWanted(String(params["pattern"])) ?? likeExample(schema, error.schemaPath) ?? error.message)
        : error.message;
      if (!faults.has(`${path} ${message}`)) faults.set(`${path} ${message}`, { path, message });
    }
    if (faults.size >= mostFaults) break;
  }
  return [...faults.values()];
}

const formats: Readonly<Record<string, string>> = {
  "date-time": "must be a time such as 2026-12-31T18:00:00Z",
  date: "must be a day such as 2026-12-31",
};

/** The pattern of an id explains nothing to who gave a name. */
function idWanted(pattern: string): string | undefined {
  const prefix = /^\^([a-z]{3})_\[0-7\]/.exec(pattern)?.[1];
  return prefix === undefined ? undefined : `must be an id, which begins with ${prefix}_`;
}

/** Nor does any other to who does not read patterns; the field's own example does. */
function likeExample(schema: TSchema, path: string): string | undefined {
  let at: unknown = schema;
  for (const name of path.split("/").slice(1)) at = (at as Record<string, unknown> | undefined)?.[name.replaceAll("~1", "/").replaceAll("~0", "~")];
  const { examples, pattern } = (at ?? {}) as { examples?: unknown; pattern?: string };
  if (!Array.isArray(examples) || examples.length === 0) return undefined;
  return `must be like ${examples.slice(0, 2).join(" or ")} (pattern ${pattern})`;
}

function mustBe(choices: readonly unknown[]): string {
  return `must be ${choices.length === 1 ? "" : "one of "}${choices.join(", ")}`;
}

/** The constants that a value might have been, by its place. */
function wordsAt(errors: ReturnType<Validator["Errors"]>): Map<string, string[]> {
  const words = new Map<string, string[]>();
  for (const { keyword, instancePath, params } of errors) {
    if (keyword !== "const") continue;
    words.set(instancePath, [...(words.get(instancePath) ?? []), String((params as { allowedValue: unknown }).allowedValue)]);
  }
  return words;
}
