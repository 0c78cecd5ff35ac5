import { expect, it } from "vitest";
import { limitsContract } from "./contract.ts";
import { createMemoryLimits } from "./memory-limits.ts";

limitsContract("memory", async () => {
  let now = 1_000_000;
  return { limits: createMemoryLimits({ now: () => now }), pass: async (ms) => void (now += ms), key: (name) => name };
});

it("gives up the key that came first when there are too many", async () => {
  const limits = createMemoryLimits({ now: () => 0 }, 2);
  const bucket = { perSecond: 1, burst: 1 };
  await limits.take(["a"], bucket);
  await limits.take(["b"], bucket);
  await limits.take(["c"], bucket);
  expect((await limits.take(["b"], bucket)).retryAfterSeconds).toBeDefined();
  expect((await limits.take(["a"], bucket)).retryAfterSeconds).toBeUndefined();
});

it("does not run backwards with the clock", async () => {
  let now = 10_000;
  const limits = createMemoryLimits({ now: () => now });
  await limits.take(["a"], { perSecond: 1, burst: 1 });
  now = 0;
  expect((await limits.take(["a"], { perSecond: 1, burst: 1 })).retryAfterSeconds).toBeGreaterThan(0);
});
