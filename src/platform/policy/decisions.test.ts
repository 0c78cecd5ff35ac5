import { expect, it } from "vitest";
import { isPlanDecision, reasonCodes } from "./decisions.ts";

const approve = (approvers: unknown): unknown => ({ decision: "approve", reasons: [], approvers, excluded: [] });

it.each([
  ["one rule", [{ role: "admin", count: 2 }], true],
  ["a rule that says more", [{ role: "admin", count: 1, because: "it is Friday" }], true],
  ["nobody", [], false],
  ["a role that is no role's name", [{ role: "The Boss", count: 1 }], false],
  ["no number", [{ role: "admin", count: "two" }], false],
  ["nobody of a role", [{ role: "admin", count: 0 }], false],
  ["more than there are", [{ role: "admin", count: 1e9 }], false],
  ["a word", ["admin"], false],
  ["nothing", [null], false],
])("an approval by %s is a decision: %s", (_what, approvers, expected) => {
  expect(isPlanDecision(approve(approvers))).toBe(expected);
});

it("of reasons only codes are kept for the log, and not without end", () => {
  expect(reasonCodes(["read-only", "Ada Lovelace said no", 7, null, "x".repeat(101), "-no", "ok2"])).toEqual(["read-only", "ok2"]);
  expect(reasonCodes(Array.from({ length: 60 }, () => "again"))).toHaveLength(50);
});
