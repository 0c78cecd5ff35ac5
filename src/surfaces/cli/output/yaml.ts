import { stringify } from "yaml";

/** Loaded by itself, because most commands do not need it. A bundler keeps the names of our exports, not of a CommonJS package's. */
export function yamlText(value: unknown): string {
  return stringify(value);
}
