import { describe, expect, it } from "vitest";
import { osRelease } from "../testing/fixtures.ts";
import { parseOsRelease } from "./os-release.ts";

describe("parseOsRelease", () => {
  it("reads id, version and name", () => {
    expect(parseOsRelease(osRelease)).toEqual({ id: "debian", versionId: "12", prettyName: "Debian GNU/Linux 12 (bookworm)" });
  });

  it.each([
    ["single quotes", "ID='alpine'\nVERSION_ID=3.18.4\n", { id: "alpine", versionId: "3.18.4" }],
    ["escapes in double quotes", 'ID=x\nPRETTY_NAME="a \\"b\\" \\$c \\\\ \\n"\n', { id: "x", versionId: "", prettyName: 'a "b" $c \\ \\n' }],
    ["comments, empty lines and CRLF", "# c\r\n\r\nID=x\r\n", { id: "x", versionId: "" }],
    ["no id", "NAME=x\n", { id: "linux", versionId: "" }],
    ["the last of two lines", "ID=a\nID=b\n", { id: "b", versionId: "" }],
  ])("reads %s", (_, text, expected) => {
    expect(parseOsRelease(text)).toEqual(expected);
  });

  it.each([
    ["an open quote", 'ID=debian\nNAME="x\n', "malformed", 2],
    ["a line without =", "ID=debian\nfoo\n", "malformed", 2],
    ["an unquoted space", "NAME=a b\n", "malformed", 1],
    ["nothing", "# only a comment\n", "empty", undefined],
  ])("refuses %s", (_, text, code, line) => {
    expect(() => parseOsRelease(text)).toThrow(expect.objectContaining({ code, location: line === undefined ? {} : { line } }));
  });
});
