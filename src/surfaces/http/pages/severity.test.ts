import { describe, expect, test } from "vitest";
import type { Summary } from "./answers.ts";
import { render } from "./html.ts";
import { isOld, matchedCells, summaryChips } from "./severity.ts";

const none = { critical: 0, high: 0, medium: 0, low: 0, none: 0, unknown: 0 };
const clean: Summary = { findings: 0, cves: 0, bySeverity: none, packages: 96, couldNotMatch: 0 };
const good = /class="chip ok"/;

describe("the counts of a scan", () => {
  test("are good only when every package could be matched with advisories of these days", () => {
    expect(render(summaryChips(clean, false))).toMatch(good);
  });

  test.each<[string, Partial<Summary>, boolean, string]>([
    ["old advisories", {}, true, "none in old advisories"],
    ["nothing matched", { couldNotMatch: 96 }, false, "unknown: none matched"],
    ["something not matched", { couldNotMatch: 2 }, false, "2 not matched"],
    ["no packages at all", { packages: 0 }, false, "no packages"],
    ["findings", { findings: 3, bySeverity: { ...none, critical: 1, unknown: 2 } }, false, "2 unknown severity"],
  ])("are not good with %s", (_name, change, old, text) => {
    const shown = render(summaryChips({ ...clean, ...change }, old));
    expect(shown).not.toMatch(good);
    expect(shown).toContain(text);
  });

  test("name each severity by its word, the worst first", () => {
    const shown = render(summaryChips({ ...clean, findings: 1_204, bySeverity: { ...none, low: 1_200, critical: 3, high: 1 } }, false));
    expect(shown.replaceAll(/<[^>]+>/g, " ").trim().split(/\s{2,}/)).toEqual(["3 critical", "1 high", "1,200 low"]);
  });

  test.each(["pending", "never-scanned"] as const)("are unknown while the state is %s", (state) => {
    const shown = matchedCells({ shown: true, value: { state, summary: null } }, false).map(render).join("");
    expect(shown).toContain("unknown");
    expect(shown).not.toMatch(good);
  });

  test("are not shown, with the reason, to whom a role does not show them", () => {
    expect(matchedCells({ shown: false, why: "needs <x>" }, false).map(render).join("")).toContain("needs &lt;x&gt;");
  });
});

describe("a feed", () => {
  const now = Date.UTC(2026, 10, 21);
  test.each<[string | null, boolean]>([
    [null, true], ["2026-11-20T00:00:00Z", false], ["2026-11-14T00:00:00Z", false], ["2026-11-13T23:59:59Z", true],
  ])("whose newest record is of %s is old: %s", (newest, old) => {
    expect(isOld({ newest }, now)).toBe(old);
  });
});
