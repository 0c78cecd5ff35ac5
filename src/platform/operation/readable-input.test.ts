import { expect, it } from "vitest";
import { DeclaredError } from "../errors.ts";
import { refuseUnreadable } from "./readable-input.ts";

function refusalOf(input: object): string | undefined {
  try {
    refuseUnreadable(input);
    return undefined;
  } catch (error) {
    if (error instanceof DeclaredError) return error.message;
    throw error;
  }
}

const nested = (levels: number): unknown => Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 1);

it.each([
  ["plain values", { a: "text", b: 1, c: [true, null, { d: "é 🙂" }] }, undefined],
  ["64 levels", { a: nested(64) }, undefined],
  ["65 levels", { a: nested(65) }, "/a: has more than 64 objects or lists in one another"],
  ["100,000 levels", { a: nested(100_000) }, "/a: has more than 64 objects or lists in one another"],
  ["NUL in a text", { a: "x\0" }, "/a: holds NUL, which no text may"],
  ["NUL in a name", { "a\0b": 1 }, "/ab: holds NUL, which no text may"],
  ["NUL in a name further in", { a: [{ "b\0": 1 }] }, "/a: holds NUL, which no text may"],
  ["half a surrogate pair", { a: { b: ["\ud83d"] } }, "/a: holds half of a surrogate pair, which is not Unicode"],
])("%s", (_what, input, expected) => {
  expect(refusalOf(input)).toBe(expected);
});
