import { describe, expect, it } from "vitest";
import { blockedSeconds, mostAttempts, retryAfterSeconds, retrySeconds } from "./backoff.ts";

describe("attempts", () => {
  it("wait longer each time, at most six hours, and take about a day together", () => {
    const waits = Array.from({ length: mostAttempts - 1 }, (_, i) => retrySeconds(i + 1));
    expect(waits.slice(0, 4)).toEqual([5, 20, 80, 320]);
    expect(waits.at(-1)).toBe(21_600);
    const hours = waits.reduce((sum, seconds) => sum + seconds, 0) / 3_600;
    expect(hours).toBeGreaterThan(18);
    expect(hours).toBeLessThan(30);
  });

  it.each([[0, 0], [1, 2], [2, 4], [8, 256], [9, 300], [1_000, 300]])("given a channel that failed %d times in a row, then it is left alone for %d seconds", (failures, seconds) => {
    expect(blockedSeconds(failures)).toBe(seconds);
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2026-11-21T10:00:00Z");
  it.each([
    ["120", 120], [" 7 ", 7], ["0", 1], ["Sat, 21 Nov 2026 10:05:00 GMT", 300], ["Sat, 21 Nov 2026 09:00:00 GMT", 1], ["999999999", 86_400], ["soon", undefined], ["", undefined], [undefined, undefined],
  ])("%j is %s", (header, seconds) => {
    expect(retryAfterSeconds(header, now)).toBe(seconds);
  });
});
