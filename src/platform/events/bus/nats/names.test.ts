import { expect, it } from "vitest";
import { deadSubject, durableOf, nameOf, redriveSubject, subjectOf, subjectsOf, token } from "./names.ts";

it.each(["asset.changes", "a b", "*", ">", "über/alles\\", "100%", "~(!)'"])("writes %j as one token, and reads it back", (name) => {
  expect(token(name)).toMatch(/^[A-Za-z0-9_%-]+$/);
  expect(nameOf(token(name))).toBe(name);
});

it("keeps a key in one shard of its topic", () => {
  expect(subjectOf("asset.changes", "asset_1")).toBe(subjectOf("asset.changes", "asset_1"));
  expect(subjectOf("asset.changes", "asset_1")).toMatch(/^qinfra\.asset%2Echanges\.\d+$/);
  expect(subjectsOf("asset.changes")).toBe("qinfra.asset%2Echanges.*");
  expect(new Set(Array.from({ length: 1_000 }, (_, n) => subjectOf("t", `key ${n}`))).size).toBe(64);
});

it("names no two groups of topics alike", () => {
  expect(durableOf("a", "b+c")).not.toBe(durableOf("c+a", "b"));
  expect(redriveSubject("a.b", "c")).not.toBe(redriveSubject("a", "b.c"));
  expect(deadSubject("a", "b", "c")).toBe("qinfra-dead.a.b.c");
});
