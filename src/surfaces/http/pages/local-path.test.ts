import { describe, expect, test } from "vitest";
import { localPath } from "./local-path.ts";

describe("where a page may lead on to", () => {
  test.each(["/", "/docs", "/images/img_01jd0000000000000000000000", "/?images=abc", "/docs/roles?a=b%2Fc"])("%s is a path of this platform", (path) => {
    expect(localPath(path)).toBe(path);
  });

  test.each<[unknown, string]>([
    ["//evil.example", "another host"],
    ["///evil.example", "another host, with one slash more"],
    ["/\\evil.example", "a backslash, which browsers read as a slash"],
    ["\\\\evil.example", "two of them"],
    ["/\t/evil.example", "a tab, which browsers leave out"],
    ["/\n/evil.example", "a line break"],
    ["/%0d%0aset-cookie:x", "stays encoded and local"],
    ["https://evil.example/", "a whole address"],
    ["https:evil.example", "an address without slashes"],
    ["javascript:alert(1)", "a script"],
    [" //evil.example", "a leading space"],
    ["/.//evil.example", "dots that resolve to another host"],
    ["/a/..//evil.example", "dots that resolve to another host, further down"],
    ["@evil.example", "no path"],
    ["evil.example", "a relative path"],
    ["", "nothing"],
    [undefined, "nothing at all"],
    [["/docs", "//evil.example"], "two values"],
    ["/sign-in?next=/sign-in", "a circle"],
    ["/sign-out", "leaving again"],
    [`/${"a".repeat(3_000)}`, "too long"],
  ])("%j leads nowhere else: %s", (text) => {
    const path = localPath(text);
    expect(new URL(path, "https://qinfra.example").origin).toBe("https://qinfra.example");
    if (text !== "/%0d%0aset-cookie:x") expect(path).toBe("/");
  });
});
