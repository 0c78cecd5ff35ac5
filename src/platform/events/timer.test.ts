import { describe, expect, it } from "vitest";
import { backoffMs, createBell, systemTimer, type Timer } from "./timer.ts";

const never: Timer = { sleep: (_ms, signal) => new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true })) };

describe("backoffMs", () => {
  it.each([
    [1, 0, 125],
    [1, 0.5, 250],
    [4, 0.5, 2_000],
    [4, 1, 3_000],
    [30, 0.5, 60_000],
  ])("attempt %i with random %d waits %i ms", (attempt, random, ms) => {
    expect(backoffMs(attempt, 250, 60_000, () => random)).toBe(ms);
  });
});

describe("a bell", () => {
  const open = new AbortController().signal;

  it("ends a wait that has begun, and the next wait where nobody waited", async () => {
    const bell = createBell(never);
    const waiting = bell.wait(1_000, open);
    bell.ring();
    expect(await waiting).toBe(true);
    bell.ring();
    bell.ring();
    expect(await bell.wait(1_000, open)).toBe(true);
  });

  it("is silent again after a wait", async () => {
    const bell = createBell(never);
    bell.ring();
    await bell.wait(1_000, open);
    const order: string[] = [];
    const waiting = bell.wait(1_000, open).then(() => order.push("woken"));
    await Promise.resolve();
    order.push("still waiting");
    bell.ring();
    await waiting;
    expect(order).toEqual(["still waiting", "woken"]);
  });

  it("ends with the signal, before and during the wait", async () => {
    const end = new AbortController();
    const bell = createBell(never);
    const waiting = bell.wait(1_000, end.signal);
    end.abort();
    expect(await waiting).toBe(false);
    expect(await bell.wait(1_000, end.signal)).toBe(false);
    await expect(systemTimer.sleep(1_000_000, end.signal)).resolves.toBeUndefined();
  });
});
