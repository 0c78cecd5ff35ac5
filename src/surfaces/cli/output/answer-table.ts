import type { OperationRecord } from "../manifest.ts";
import { kebab, kindOf, type JsonSchema } from "../schema.ts";
import { renderTable, type TableOptions } from "./table.ts";

const mostColumns = 8;

/** An answer for people: a list as a table, one thing as names and values. */
export function answerTable(operation: OperationRecord, answer: unknown, options: TableOptions): string {
  const asked = operation.cli?.alone === undefined ? undefined : valueAt(answer, operation.cli.alone);
  if (Array.isArray(asked)) return listTable(asked, [], options);
  if (asked !== undefined) return objectTable(asked as Record<string, unknown>, [], options);
  const columns = operation.cli?.columns ?? [];
  const items = itemsOf(answer);
  const { output } = operation;
  const itemSchema = output.type === "array" ? output.items : output.properties?.["items"]?.items;
  if (items !== undefined) return listTable(items, columns.length > 0 ? columns : columnsOf(itemSchema, items), options);
  if (typeof answer !== "object" || answer === null) return `${cell(answer)}\n`;
  return objectTable(answer as Record<string, unknown>, columns, options);
}

export function itemsOf(answer: unknown): unknown[] | undefined {
  if (Array.isArray(answer)) return answer;
  const items = (answer as { items?: unknown } | null)?.items;
  return Array.isArray(items) ? items : undefined;
}

function listTable(items: readonly unknown[], columns: readonly string[], options: TableOptions): string {
  if (columns.length === 0) return items.map((item) => `${cell(item)}\n`).join("");
  const rows = items.map((item) => columns.map((column) => cell(valueAt(item, column))));
  return renderTable(columns.map(heading), rows, options);
}

/** Without columns of its own, a list shows the plain fields of its items. */
function columnsOf(schema: JsonSchema | undefined, items: readonly unknown[]): string[] {
  const declared = Object.entries(schema?.properties ?? {}).filter(([, property]) => !["json", "map", "array"].includes(kindOf(property).kind)).map(([name]) => name);
  const first = items.find((item) => typeof item === "object" && item !== null);
  const names = declared.length > 0 || first === undefined ? declared : Object.keys(first as object);
  return names.slice(0, mostColumns);
}

function objectTable(answer: Record<string, unknown>, columns: readonly string[], options: TableOptions): string {
  const chosen = columns.length > 0 ? columns.map((column): [string, unknown] => [column, valueAt(answer, column)]) : Object.entries(answer);
  const fields = chosen.flatMap(flattened);
  const entries = fields.filter(([, value]) => !isListOfObjects(value));
  const lists = fields.filter((field): field is [string, Record<string, unknown>[]] => isListOfObjects(field[1]));
  const width = Math.max(0, ...entries.map(([name]) => label(name).length));
  const lines = entries.map(([name, value]) => `${label(name).padEnd(width)}  ${cell(value).replaceAll(/[\p{Cc}\p{Cf}]/gu, " ")}\n`);
  const tables = lists.map(([name, items]) => `\n${label(name)}\n${listTable(items, columnsOf(undefined, items), options)}`);
  return [...lines, ...tables].join("");
}

/** The fields of an inner object one by one. */
function flattened([name, value]: [string, unknown]): [string, unknown][] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[name, value]];
  if (Object.keys(value).length === 0) return [[name, undefined]];
  return Object.entries(value).map(([inner, item]) => [`${name}.${inner}`, item]);
}

function isListOfObjects(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "object" && item !== null);
}

/** The value at a path such as `os.id`. */
export function valueAt(item: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown> | null | undefined)?.[name], item);
}

function heading(column: string): string {
  return label(column).toUpperCase();
}

function label(name: string): string {
  return name.split(".").map((part) => kebab(part).replaceAll("-", " ")).join(" ");
}

/** `-` is nothing; a list is its items, a map its pairs. */
function cell(value: unknown): string {
  if (value === undefined || value === null || value === "") return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.length === 0 ? "-" : value.map(cell).join(", ");
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value);
  if (entries.every(([, item]) => typeof item !== "object")) return entries.length === 0 ? "-" : entries.map(([key, item]) => `${key}=${String(item)}`).join(" ");
  return JSON.stringify(value);
}
