import type { Operation } from "./operation.ts";

/** The input without the fields that are declared `writeOnly` (passwords, codes, tokens): those are for the operation alone. */
export function whatIsNoSecret(operation: Pick<Operation, "input">, input: unknown): Record<string, unknown> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return {};
  const secret = (name: string): boolean => (operation.input.properties[name] as { writeOnly?: boolean } | undefined)?.writeOnly === true;
  return Object.fromEntries(Object.entries(input).filter(([name]) => !secret(name)));
}
