import { InputError } from "../input-error.ts";
import type { JsonObject } from "./json-text.ts";

/** Readers of a parsed JSON value; each throws InputError `wrong-structure` with the JSON path. */

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function objectAt(value: unknown, jsonPath: string): JsonObject {
  if (isObject(value)) return value;
  throw wrong(value, "an object", jsonPath);
}

/** Absent and null are an empty list. */
export function listAt(parent: JsonObject, key: string, jsonPath: string): readonly unknown[] {
  const value = parent[key];
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw wrong(value, "a list", `${jsonPath}.${key}`);
}

/** Absent, null and empty are undefined. */
export function textAt(parent: JsonObject, key: string, jsonPath: string): string | undefined {
  const value = parent[key];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  throw wrong(value, "a string", `${jsonPath}.${key}`);
}

function wrong(value: unknown, wanted: string, jsonPath: string): InputError {
  const found = value === undefined ? "nothing" : value === null ? "null" : Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
  return new InputError("wrong-structure", `${wanted} must stand here, not ${found}`, { jsonPath });
}
