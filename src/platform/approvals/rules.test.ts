import { describe, expect, it } from "vitest";
import type { DeclaredError } from "../errors.ts";
import { countsAs, inWords, isMet, prospects, solePerson, standingOf, type Decider } from "./rules.ts";
import type { ApproverRule, Decision, Eligible } from "./types.ts";

const admins = (count: number): ApproverRule[] => [{ role: "admin", count }];
const yes = (...roles: string[]): Pick<Decision, "role" | "decision" | "sole">[] => roles.map((role) => ({ role, decision: "approve", sole: false }));

describe("who is enough", () => {
  it.each<[string, ApproverRule[], string[], boolean]>([
    ["one administrator of one", admins(1), ["admin"], true],
    ["one administrator of two", admins(2), ["admin"], false],
    ["two administrators of two", admins(2), ["admin", "admin"], true],
    ["an operator where an administrator is asked for", admins(1), ["operator"], false],
    ["an administrator where an operator is asked for", [{ role: "operator", count: 1 }], ["admin"], true],
    ["an operator and an administrator where both are asked for", [{ role: "operator", count: 1 }, { role: "admin", count: 1 }], ["operator", "admin"], true],
    ["two operators where both are asked for", [{ role: "operator", count: 1 }, { role: "admin", count: 1 }], ["operator", "operator"], false],
    ["two administrators where both are asked for", [{ role: "operator", count: 1 }, { role: "admin", count: 1 }], ["admin", "admin"], true],
    ["one administrator for both", [{ role: "operator", count: 1 }, { role: "admin", count: 1 }], ["admin"], false],
    ["one operator where a policy asks twice for one", [{ role: "operator", count: 1 }, { role: "operator", count: 1 }], ["operator"], false],
    ["nobody where nobody is asked for", [], [], false],
  ])("%s: %#", (_what, rule, roles, enough) => {
    expect(isMet(rule, yes(...roles))).toBe(enough);
  });

  it("counts no rejection, and takes the one person that there is for all", () => {
    expect(isMet(admins(1), [{ role: "admin", decision: "reject", sole: false }])).toBe(false);
    expect(isMet(admins(3), [{ role: "admin", decision: "approve", sole: true }])).toBe(true);
  });

  it("says it in words", () => {
    expect(inWords([{ role: "operator", count: 1 }, { role: "admin", count: 2 }])).toBe("one of role operator and two of role admin");
    expect(countsAs("auditor", "admin")).toBe(false);
  });
});

const now = (userId: string, role = "admin"): Eligible => ({ userId, role });
const past = (userId: string, role = "admin"): Eligible => ({ userId, role, until: 1 });

describe("the only person who could decide", () => {
  it.each<[string, ApproverRule[], Eligible[], string | undefined]>([
    ["is the only administrator", admins(2), [now("a"), now("o", "operator")], "a"],
    ["is nobody where there are two", admins(1), [now("a"), now("b")], undefined],
    ["is nobody where there was a second one in the last 30 days", admins(1), [now("a"), past("b")], undefined],
    ["is nobody where a second one was given less", admins(1), [now("a"), now("b", "viewer"), past("b")], undefined],
    ["is nobody where the only one has left", admins(1), [past("a")], undefined],
    ["is the same person with an earlier role", admins(1), [now("a"), past("a", "admin")], "a"],
    ["counts operators where those are asked for", [{ role: "operator", count: 1 }], [now("a"), now("o", "operator")], undefined],
  ])("%s", (_what, rule, eligible, only) => {
    expect(solePerson(rule, eligible)).toBe(only);
  });

  it.each<[string, ApproverRule[], string[], Eligible[], { needed: number; possible: number }]>([
    ["enough", admins(2), ["x"], [now("a"), now("b"), now("x")], { needed: 2, possible: 2 }],
    ["too few, because one of two asked", admins(2), ["a"], [now("a"), now("b")], { needed: 2, possible: 1 }],
    ["one is enough who is alone", admins(2), ["a"], [now("a")], { needed: 1, possible: 1 }],
    ["who has left decides no more", admins(1), [], [now("a"), past("b"), now("c")], { needed: 1, possible: 2 }],
  ])("knows what can still come: %s", (_what, rule, served, eligible, expected) => {
    expect(prospects(rule, served, eligible)).toEqual(expected);
  });
});

describe("as what somebody decides", () => {
  const decider = (changes: Partial<Decider>): Decider => ({
    actor: { kind: "user", userId: "a", ai: false }, rule: admins(1), served: [], eligible: [now("a"), now("b")], delegated: [], voted: [], ...changes,
  });
  const codeOf = (changes: Partial<Decider>): string => {
    try {
      const { sole, countsFor } = standingOf(decider(changes));
      return sole ? `alone for ${countsFor}` : `for ${countsFor}`;
    } catch (error) {
      return (error as DeclaredError).type.code;
    }
  };

  it.each<[string, Partial<Decider>, string]>([
    ["an administrator", {}, "for a"],
    ["an administrator who asked", { served: ["a"] }, "approver-served"],
    ["the only administrator, who asked", { served: ["a"], eligible: [now("a")] }, "alone for a"],
    ["the only administrator, whom a second one has left a moment ago", { served: ["a"], eligible: [now("a"), past("b")] }, "approver-served"],
    ["an agent of the only administrator", { actor: { kind: "api-key", userId: "a", ai: true }, eligible: [now("a")] }, "approver-not-person"],
    ["a session that a program was given", { actor: { kind: "user", userId: "a", ai: true } }, "approver-not-person"],
    ["a service account", { actor: { kind: "service", userId: "a", ai: false } }, "approver-not-person"],
    ["a key of no agent", { actor: { kind: "api-key", userId: "a", ai: false } }, "approver-not-person"],
    ["an operator", { actor: { kind: "user", userId: "o", ai: false }, eligible: [now("a"), now("b"), now("o", "operator")] }, "approver-not-eligible"],
    ["who was an administrator", { actor: { kind: "user", userId: "c", ai: false }, eligible: [now("a"), now("b"), past("c")] }, "approver-not-eligible"],
    ["an operator for whom an administrator stands aside", { actor: { kind: "user", userId: "o", ai: false }, delegated: [{ from: "b", role: "admin" }] }, "for b"],
    ["an operator to whom the one who asked has delegated", { actor: { kind: "user", userId: "o", ai: false }, served: ["b"], delegated: [{ from: "b", role: "admin" }] }, "approver-not-eligible"],
    ["an operator to whom two have delegated, of whom one has voted", { actor: { kind: "user", userId: "o", ai: false }, voted: ["a"], delegated: [{ from: "a", role: "admin" }, { from: "b", role: "admin" }] }, "for b"],
    ["an operator to whom one has delegated who has voted", { actor: { kind: "user", userId: "o", ai: false }, voted: ["b"], delegated: [{ from: "b", role: "admin" }] }, "for b"],
    ["an operator who asked, to whom somebody has delegated", { actor: { kind: "user", userId: "o", ai: false }, served: ["o"], delegated: [{ from: "b", role: "admin" }] }, "approver-served"],
  ])("%s", (_what, changes, expected) => {
    expect(codeOf(changes)).toBe(expected);
  });
});
