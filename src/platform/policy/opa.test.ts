import { expect, it } from "vitest";
import { stricter } from "./opa.ts";
import type { PlanDecision } from "./types.ts";

const none = { approvers: [], excluded: [] };
const allow: PlanDecision = { decision: "allow", reasons: [], ...none };
const deny: PlanDecision = { decision: "deny", reasons: ["no"], ...none };
const approve = (role: string, count: number, reason: string, excluded: string[]): PlanDecision => ({ decision: "approve", reasons: [reason], approvers: [{ role, count }], excluded });

it.each<[string, PlanDecision, PlanDecision, PlanDecision]>([
  ["nothing against it", allow, allow, allow],
  ["one denies", approve("admin", 1, "a", []), deny, deny],
  ["the other denies", deny, allow, deny],
  ["one asks for approval", allow, approve("admin", 1, "a", ["x"]), approve("admin", 1, "a", ["x"])],
  ["both ask for approval", approve("admin", 1, "b", ["x"]), approve("auditor", 2, "a", ["x", "y"]), {
    decision: "approve", reasons: ["a", "b"], approvers: [{ role: "admin", count: 1 }, { role: "auditor", count: 2 }], excluded: ["x", "y"],
  }],
  ["both ask for the same", approve("admin", 1, "a", ["x"]), approve("admin", 1, "a", ["x"]), approve("admin", 1, "a", ["x"])],
  ["both ask for the same role", approve("admin", 2, "a", ["x"]), approve("admin", 1, "a", ["x"]), approve("admin", 2, "a", ["x"])],
])("of two decisions the stricter counts: %s", (_what, one, other, expected) => {
  expect(stricter(one, other)).toEqual(expected);
});
