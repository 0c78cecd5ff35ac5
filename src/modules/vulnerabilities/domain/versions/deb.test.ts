import { describe, expect, it } from "vitest";
import { compareDeb, isDebVersion } from "./deb.ts";

describe("compareDeb", () => {
  it.each([
    ["1.0", "<", "1.1"],
    ["1.9", "<", "1.10"],
    ["1.0~rc1", "<", "1.0"],
    ["1.0~~", "<", "1.0~"],
    ["1.0", "<", "1.0+deb12u1"],
    ["1.0a", "<", "1.0+"],
    ["1.0", "=", "0:1.0"],
    ["1.0", "=", "1.0-0"],
    ["1.0", "=", "1.00"],
    ["2.0", "<", "1:0.1"],
    ["1.0-1", "<", "1.0-1+b1"],
    ["1.0-1~bpo12+1", "<", "1.0-1"],
    ["6.1.176-1", "<", "6.1.177-1"],
    ["6.1.176+1", ">", "6.1.176-1"],
    ["1.2-3-4", "<", "1.2-3-5"],
    ["99999999999999999999998", "<", "99999999999999999999999"],
  ])("%s %s %s", (left, operator, right) => {
    const order = compareDeb(left, right) ?? Number.NaN;
    const reversed = compareDeb(right, left) ?? Number.NaN;
    expect(order < 0 ? "<" : order > 0 ? ">" : "=").toBe(operator);
    expect(Math.sign(reversed)).toBe(0 - Math.sign(order));
  });

  it.each(["", "1.0 ", "a:1.0", ":1.0", "1:", "1.0-", "-1", "1.0_2", "1.0-1:2", "1.0/2", "99999999999:1", "1.0é"])(
    "cannot compare %j",
    (text) => {
      expect(isDebVersion(text)).toBe(false);
      expect(compareDeb(text, "1.0")).toBeUndefined();
      expect(compareDeb("1.0", text)).toBeUndefined();
    },
  );
});
