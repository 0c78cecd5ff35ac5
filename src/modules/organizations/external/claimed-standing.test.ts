import { describe, expect, it } from "vitest";
import { changeBy, claimedRole, type Change, type Claimed, type Known } from "./claimed-standing.ts";
import type { Role } from "../roles.ts";

const issuer = "https://issuer.example";
const map = { ops: "operator", root: "admin", look: "viewer", check: "auditor" } as const;

describe("the claimed role", () => {
  it.each<[string[], Role | undefined]>([
    [["look", "ops"], "operator"],
    [["check", "look"], "auditor"],
    [["root", "ops", "look", "check"], "admin"],
    [["other"], undefined],
    [["toString", "__proto__"], undefined],
    [[], undefined],
  ])("given the groups %j, then it is %s", (groups, role) => {
    expect(claimedRole(groups, map)).toBe(role);
  });
});

const token = (issuedAt: number, role?: Role): Claimed => ({ issuer, issuedAt, ...(role !== undefined && { role }) });
const member = (claimedAt: number, role: Role, by: string | null = issuer): Known => ({ claimedAt, membership: { role, issuer: by } });

describe("what a token changes", () => {
  it.each<[string, Claimed, Known, Change]>([
    ["the first of somebody new", token(10, "viewer"), {}, "add"],
    ["the first of somebody new, without a role", token(10), {}, "note"],
    ["a newer one with the same role", token(20, "viewer"), member(10, "viewer"), "note"],
    ["a newer one with another role", token(20, "admin"), member(10, "viewer"), "set"],
    ["a newer one without a role", token(20), member(10, "viewer"), "end"],
    ["a newer one of somebody whose membership ended", token(20, "viewer"), { claimedAt: 10 }, "add"],
    ["an older one with another role", token(10, "admin"), member(20, "viewer"), "nothing"],
    ["an older one without a role", token(10), member(20, "viewer"), "nothing"],
    ["an older one of somebody whose membership ended", token(10, "admin"), { claimedAt: 20 }, "nothing"],
    ["the same again", token(10, "viewer"), member(10, "viewer"), "nothing"],
    ["the same after the membership was ended by hand", token(10, "viewer"), { claimedAt: 10 }, "nothing"],
    ["one of the same second that is narrower", token(10, "viewer"), member(10, "admin"), "set"],
    ["one of the same second that is wider", token(10, "admin"), member(10, "viewer"), "nothing"],
    ["one of the same second without a role", token(10), member(10, "admin"), "end"],
    ["a newer one beside a membership made by hand", token(20, "admin"), member(10, "viewer", null), "note"],
    ["a newer one without a role beside a membership made by hand", token(20), member(10, "viewer", null), "note"],
    ["one of the same second beside a membership made by hand", token(10), member(10, "viewer", null), "nothing"],
    ["a newer one beside a membership of another issuer", token(20), member(10, "viewer", "https://other.example"), "note"],
    ["the first of somebody who was added by hand", token(10, "admin"), { membership: { role: "viewer", issuer: null } }, "note"],
  ])("given %s", (_what, claimed, known, change) => {
    expect(changeBy(claimed, known)).toBe(change);
  });

  it("given tokens in any order, then the outcome is that of the newest, the narrowest of its second", () => {
    const tokens = [token(1, "admin"), token(2, "viewer"), token(2, "operator"), token(3, "admin"), token(3, "auditor"), token(3, "operator")];
    for (const order of permutations(tokens)) {
      let known: Known = {};
      for (const claimed of order) known = after(known, claimed);
      expect(known).toEqual(member(3, "auditor"));
    }
  });
});

function after(known: Known, claimed: Claimed): Known {
  const change = changeBy(claimed, known);
  if (change === "nothing") return known;
  if (change === "end") return { claimedAt: claimed.issuedAt };
  const role = change === "note" ? known.membership?.role : claimed.role;
  return role === undefined ? { claimedAt: claimed.issuedAt } : member(claimed.issuedAt, role);
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
}
