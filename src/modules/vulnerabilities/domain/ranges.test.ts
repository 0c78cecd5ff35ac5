import { describe, expect, it } from "vitest";
import type { Affected, RangeEvent } from "./advisory.ts";
import { semverOrder } from "./ecosystems.ts";
import { evaluate, fixFor } from "./ranges.ts";

function entry(events: RangeEvent[], versions: string[] = []): Affected {
  return { ecosystem: "npm", package: "lib", ranges: events.length === 0 ? [] : [{ type: "SEMVER", events }], versions };
}

const twoBranches = [{ introduced: "2.0.0" }, { fixed: "2.3.1" }, { introduced: "0" }, { fixed: "1.4.0" }];

describe("evaluate", () => {
  it.each<[string, RangeEvent[], string]>([
    ["0.0.0-0", [{ introduced: "0" }, { fixed: "1.0.0" }], "affected"],
    ["0.9.9", [{ introduced: "0.0.0-0" }, { fixed: "1.0.0" }], "affected"],
    ["1.0.0-rc.1", [{ introduced: "0" }, { fixed: "1.0.0" }], "affected"],
    ["1.0.0", [{ introduced: "0" }, { fixed: "1.0.0" }], "unaffected"],
    ["1.0.0", [{ introduced: "1.0.0" }], "affected"],
    ["0.9.0", [{ introduced: "1.0.0" }], "unaffected"],
    ["1.0.0", [{ introduced: "0" }, { lastAffected: "1.0.0" }], "affected"],
    ["1.0.1", [{ introduced: "0" }, { lastAffected: "1.0.0" }], "unaffected"],
    ["1.2.0", [{ introduced: "1.2.0" }, { lastAffected: "1.2.0" }], "affected"],
    ["1.3.9", twoBranches, "affected"],
    ["1.4.0", twoBranches, "unaffected"],
    ["2.0.0", twoBranches, "affected"],
    ["2.3.1", twoBranches, "unaffected"],
    ["1.5.0", [{ introduced: "0" }, { limit: "1.0.0" }], "unaffected"],
    ["0.5.0", [{ introduced: "0" }, { limit: "1.0.0" }], "affected"],
    ["1.5.0", [{ introduced: "0" }, { limit: "*" }], "affected"],
    ["1.5.0", [{ introduced: "0" }, { fixed: "1.9.0b1" }], "undecided"],
    ["latest", [{ introduced: "0" }, { fixed: "1.0.0" }], "undecided"],
    ["latest", [{ introduced: "0" }], "affected"],
    ["1.0.0", [], "undecided"],
  ])("%s in %j: %s", (version, events, verdict) => {
    expect(evaluate(version, [entry(events)], semverOrder)).toBe(verdict);
  });

  it("is affected by one readable range, whatever the others are", () => {
    const entries = [entry([{ introduced: "x" }]), entry([{ introduced: "1.0.0" }])];
    expect(evaluate("1.0.0", entries, semverOrder)).toBe("affected");
    expect(evaluate("0.9.0", entries, semverOrder)).toBe("undecided");
  });

  it("knows an enumerated version without any order", () => {
    const entries: Affected[] = [{ ecosystem: "PyPI", package: "lib", ranges: [], versions: ["1.0"] }];
    expect(evaluate("1.0", entries, undefined)).toBe("affected");
    expect(evaluate("1.0.0", entries, undefined)).toBe("unaffected");
  });
});

describe("fixFor", () => {
  it.each<[string, RangeEvent[][], string | undefined]>([
    ["1.0.0", [twoBranches], "1.4.0"],
    ["2.1.0", [twoBranches], "2.3.1"],
    ["1.2.0", [[{ introduced: "0" }, { fixed: "2.0.0" }], [{ introduced: "1.0.0" }, { fixed: "1.5.0" }]], "2.0.0"],
    ["1.0.0", [[{ introduced: "0" }, { fixed: "0.9.0" }, { introduced: "1.0.0" }]], undefined],
    ["1.0.0", [[{ introduced: "0" }, { lastAffected: "1.0.0" }]], undefined],
  ])("%s in %j: %s", (version, ranges, fixed) => {
    expect(fixFor(version, ranges.map((events) => entry(events)), semverOrder)).toBe(fixed);
  });
});
