import { expect, it } from "vitest";
import { createLru } from "./lru.ts";

it("given more values than it holds, then the least recently used is gone", () => {
  const lru = createLru<number>(2);
  lru.set("a", 1, 100);
  lru.set("b", 2, 100);
  lru.get("a", 0);
  lru.set("c", 3, 100);
  expect(["a", "b", "c"].map((key) => lru.get(key, 0))).toEqual([1, undefined, 3]);
  expect(lru.size).toBe(2);
});

it("given a value past its time, then it is gone", () => {
  const lru = createLru<number>(2);
  lru.set("a", 1, 100);
  expect([lru.get("a", 99), lru.get("a", 100), lru.size]).toEqual([1, undefined, 0]);
});
