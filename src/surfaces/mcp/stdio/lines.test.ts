import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { linesOf } from "./lines.ts";

it.each([
  ["lines in one piece", ["a\nb\n"], ["a", "b"]],
  ["a line in pieces", ["a", "b\nc", "d\n"], ["ab", "cd"]],
  ["no line feed at the end", ["a\nb"], ["a", "b"]],
  ["empty lines", ["\n\na\n"], ["a"]],
  ["a character cut in two", [Buffer.from([0xc3]), Buffer.from([0xa9, 0x0a])], ["é"]],
  ["a line of the most bytes", ["12345678\n"], ["12345678"]],
  ["a line that is too long, in pieces", ["12345", "6789", "\nok\n"], [undefined, "ok"]],
])("given %s, then the lines are right", async (_case, chunks, expected) => {
  const found: (string | undefined)[] = [];
  for await (const line of linesOf(Readable.from(chunks), 8)) found.push("text" in line ? line.text : undefined);
  expect(found).toEqual(expected);
});
