import { describe, expect, it } from "vitest";
import { commandLine, shellWord } from "./command-line.ts";
import { testManifest } from "./testing/operations.ts";

const manifest = testManifest();

describe("command lines of examples", () => {
  it("gives positions first, repeats lists, and writes maps as pairs", () => {
    const list = manifest.operations.find((operation) => operation.id === "things.list");
    if (list === undefined) throw new Error("the fixture has no things.list");
    expect(commandLine(list, { kind: "large", tag: ["a", "b c"], limit: 5 })).toBe("qinfra things list --kind large --tag a --tag 'b c' --limit 5");
  });

  it.each([["plain-1.0:x/y", "plain-1.0:x/y"], ["", "''"], ["a b", "'a b'"], ["it's", "'it'\\''s'"], ["$HOME", "'$HOME'"]])("quotes %j for a shell", (word, expected) => {
    expect(shellWord(word)).toBe(expected);
  });
});
