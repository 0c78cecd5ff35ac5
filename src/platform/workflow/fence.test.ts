import { expect, it } from "vitest";
import type { Timer } from "../events/timer.ts";
import { beatMsOf, createFence } from "./fence.ts";

/** Time passes when it is told to. */
function manualTimer(): Timer & { pass(ms: number): Promise<void> } {
  let now = 0;
  const waiting = new Set<{ at: number; wake(): void }>();
  return {
    sleep: (ms, signal) => new Promise((resolve) => {
      const one = { at: now + ms, wake: resolve };
      waiting.add(one);
      signal?.addEventListener("abort", () => (waiting.delete(one), resolve()), { once: true });
    }),
    async pass(ms) {
      now += ms;
      for (const one of waiting) if (one.at <= now && waiting.delete(one)) one.wake();
      await Promise.resolve();
    },
  };
}

const lives = async (): Promise<boolean> => true;
const away = (): Promise<boolean> => Promise.reject(new Error("the database is away"));

it("given beats that come through, then what runs may go on", async () => {
  const timer = manualTimer();
  const fence = createFence(timer, 15);
  for (let i = 0; i < 10; i++) {
    await timer.pass(beatMsOf(15));
    await fence.beat(lives);
  }
  expect(fence.signal().aborted).toBe(false);
});

it("given beats that fail, then what runs ends before others may take over, and what comes after the next one may run", async () => {
  const timer = manualTimer();
  const fence = createFence(timer, 15);
  await fence.beat(lives);
  const before = fence.signal();
  await timer.pass(11_999);
  await expect(fence.beat(away)).rejects.toThrow("the database is away");
  expect(before.aborted).toBe(false);
  await timer.pass(1);
  expect(before.aborted).toBe(true);
  await fence.beat(lives);
  expect(fence.signal().aborted).toBe(false);
  expect(before.aborted).toBe(true);
});

it("given a beat that is answered late, then it counts from when it was asked for", async () => {
  const timer = manualTimer();
  const fence = createFence(timer, 15);
  const answer = Promise.withResolvers<boolean>();
  const beat = fence.beat(() => answer.promise);
  await timer.pass(12_000);
  answer.resolve(true);
  expect(await beat).toBe(true);
  expect(fence.signal().aborted).toBe(true);
});

it("given a server that was taken for gone, then it begins nothing again", async () => {
  const fence = createFence(manualTimer(), 15);
  expect(await fence.beat(async () => false)).toBe(false);
  fence.close();
  expect(fence.signal().aborted).toBe(true);
  await fence.beat(lives);
  expect(fence.signal().aborted).toBe(true);
});
