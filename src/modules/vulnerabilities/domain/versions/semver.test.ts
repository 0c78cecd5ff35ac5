import { describe, expect, it } from "vitest";
import { compareSemver, isSemver } from "./semver.ts";

describe("compareSemver", () => {
  it.each([
    ["1.0.0-alpha", "<", "1.0.0-alpha.1"],
    ["1.0.0-alpha.1", "<", "1.0.0-alpha.beta"],
    ["1.0.0-beta.2", "<", "1.0.0-beta.11"],
    ["1.0.0-rc.1", "<", "1.0.0"],
    ["0.0.0-0", "<", "0.0.0"],
    ["0.0.0-0", "<", "0.0.0-alpha"],
    ["1", "=", "1.0.0"],
    ["1.2", "=", "v1.2.0"],
    ["1.0.0+linux", "=", "1.0.0+darwin"],
    ["2.0.2+incompatible", "=", "2.0.2"],
    ["0.0.0-20230516145632-8ccac152c651", "<", "0.0.0-20230517000000-000000000000"],
    ["9007199254740993.0.0", ">", "9007199254740992.0.0"],
  ])("%s %s %s", (left, operator, right) => {
    const order = compareSemver(left, right) ?? Number.NaN;
    const reversed = compareSemver(right, left) ?? Number.NaN;
    expect(order < 0 ? "<" : order > 0 ? ">" : "=").toBe(operator);
    expect(Math.sign(reversed)).toBe(0 - Math.sign(order));
  });

  it.each(["", "latest", "(devel)", "1.x", "^1.0.0", "01.0.0", "1.0.0-01", "1.0.0-", "1.0.0-a..b", "1.9.0b1", "1.2.3.4", "vv1", "1.0.0 "])(
    "cannot compare %j",
    (text) => {
      expect(isSemver(text)).toBe(false);
      expect(compareSemver(text, "1.0.0")).toBeUndefined();
      expect(compareSemver("1.0.0", text)).toBeUndefined();
    },
  );

  it("holds the same text equal, whatever it is", () => {
    expect(compareSemver("1.1.3.4.5", "1.1.3.4.5")).toBe(0);
  });
});
