import { expect, it } from "vitest";
import { cacheContract } from "./contract.ts";
import { createMemoryCache } from "./memory-cache.ts";

cacheContract("memory", async () => {
  let now = 0;
  const one = createMemoryCache({ now: () => now });
  return { one, other: one, settled: async () => undefined, pass: async (ms) => void (now += ms) };
});

it("does not trust what was loaded before changes that it had no room to remember", async () => {
  const cache = createMemoryCache({ now: () => 0 }, { subjects: 2 });
  const entry = { orgId: "o", key: "image:1", subjects: ["img_1"], seconds: 60 };
  await cache.through(entry, async () => "old");
  await cache.invalidate("o", ["img_1", "img_2", "img_3", "img_4"]);
  expect(await cache.through(entry, async () => "new")).toBe("new");
});
