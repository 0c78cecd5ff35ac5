import { fail, InvalidInput } from "../errors.ts";

/** No operation's input is half as deep; a reader that calls itself for each level runs out of stack at some 10,000. */
const mostLevels = 64;

/** Refuses what JSON can write and nothing behind the doors can take: lists within lists without end, NUL, half a character. */
export function refuseUnreadable(input: unknown): void {
  if (typeof input !== "object" || input === null) return;
  for (const [field, value] of Object.entries(input)) {
    const fault = faultOf(field, 1) ?? faultOf(value, 1);
    if (fault !== undefined) fail(InvalidInput, `/${field.toWellFormed().replaceAll("\0", "").slice(0, 100)}: ${fault}`);
  }
}

function faultOf(value: unknown, level: number): string | undefined {
  if (typeof value === "string") {
    if (value.includes("\0")) return "holds NUL, which no text may";
    return value.isWellFormed() ? undefined : "holds half of a surrogate pair, which is not Unicode";
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (level > mostLevels) return `has more than ${mostLevels} objects or lists in one another`;
  if (Array.isArray(value)) return firstFault(value, level);
  return firstFault(Object.keys(value), level) ?? firstFault(Object.values(value), level);
}

function firstFault(values: readonly unknown[], level: number): string | undefined {
  for (const value of values) {
    const fault = faultOf(value, level + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
