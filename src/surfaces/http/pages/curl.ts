import type { Operation } from "../../../platform/operation/operation.ts";
import { placeOf, routeOf } from "../../../platform/operation/registry.ts";

/** An example input as a curl command for a POSIX shell. */
export function curlCommand(operation: Operation, input: Record<string, unknown>): string {
  const { method, path } = routeOf(operation);
  const fields = Object.entries(input).filter(([, value]) => value !== undefined);
  const of = (place: string) => fields.filter(([field]) => placeOf(operation, field) === place);
  const address = path.replaceAll(/\{(\w+)\}/g, (_, field: string) => encodeURIComponent(textOf(input[field] ?? field.toUpperCase())));
  const query = new URLSearchParams(of("query").flatMap(([field, value]) => (Array.isArray(value) ? value : [value]).map((one): [string, string] => [field, textOf(one)]))).toString();
  const body = Object.fromEntries(of("body"));
  const words = [
    `curl${method === "GET" ? "" : ` -X ${method}`} "$QINFRA_URL${address}${query === "" ? "" : `?${query}`}"`,
    ...(operation.permission === "public" ? [] : ['-H "Authorization: Bearer $QINFRA_API_KEY"']),
    ...bodyWords(operation, method, body),
  ];
  return words.join(" \\\n  ");
}

function bodyWords(operation: Operation, method: string, body: Record<string, unknown>): string[] {
  if (operation.body !== undefined) return [`-H 'Content-Type: ${operation.body.contentTypes[0] ?? "application/octet-stream"}'`, "--data-binary @FILE"];
  if (method === "GET" || method === "DELETE") return [];
  return ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
