import { describe, expect, it } from "vitest";
import { parseJson } from "./json-text.ts";

const limits = { depth: 5, values: 20 };

describe("parseJson", () => {
  it.each(["1", '"a\\u00e9\\n"', "[]", '{"a":[1,-2.5e3,true,null,{"b":{}}]}'])("reads %s", (text) => {
    expect(parseJson(text, limits)).toEqual(JSON.parse(text));
  });

  it.each([
    ['{"a":1,}', "malformed", 1, 8],
    ["[1 2]", "malformed", 1, 4],
    ["{a:1}", "malformed", 1, 2],
    ['{"a":01}', "malformed", 1, 6],
    ['{"a":1}x', "malformed", 1, 8],
    ['{"a"\n  1}', "malformed", 2, 3],
    ['{\n"a":\n  "b\tc"}', "malformed", 3, 3],
    ['["\\q"]', "malformed", 1, 2],
    ["", "truncated", 1, 1],
    ['{"a":1', "truncated", 1, 7],
    ['{"a":"x', "truncated", 1, 6],
    ["[1,\n2,", "truncated", 2, 3],
    ["[tru", "truncated", 1, 2],
    ["[1.", "truncated", 1, 2],
    ["[[[[[[", "too-large", 1, 6],
    [`[${"1,".repeat(30)}1]`, "too-large", 1, 41],
  ])("refuses %j with its place", (text, code, line, column) => {
    expect(() => parseJson(text, limits)).toThrow(expect.objectContaining({ code, location: { line, column } }));
  });

  it("finds the end of a very long string", () => {
    expect(() => parseJson(`["${"x\\n".repeat(300_000)}`, limits)).toThrow(expect.objectContaining({ code: "truncated" }));
  });
});
