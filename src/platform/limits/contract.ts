import { describe, expect, it } from "vitest";
import type { RateLimits } from "./types.ts";

export interface LimitsUnderTest {
  limits: RateLimits;
  /** Lets the adapter's time pass. */
  pass(ms: number): Promise<void>;
  /** A key that no other test uses. */
  key(name: string): string;
}

/** What every adapter of the rate limits port does. */
export function limitsContract(name: string, open: () => Promise<LimitsUnderTest>): void {
  const bucket = { perSecond: 10, burst: 3 };

  describe(`rate limits: ${name}`, () => {
    it("lets a burst through, then says how long to wait", async () => {
      const { limits, key } = await open();
      const remaining: number[] = [];
      for (let i = 0; i < 3; i++) remaining.push((await limits.take([key("burst")], bucket)).remaining);
      expect(remaining[0]).toBe(2);
      expect(remaining[2]).toBeLessThanOrEqual(1);
      let last = await limits.take([key("burst")], bucket);
      for (let i = 0; i < 50 && last.retryAfterSeconds === undefined; i++) last = await limits.take([key("burst")], bucket);
      expect(last.retryAfterSeconds).toBeGreaterThan(0);
      expect(last.retryAfterSeconds).toBeLessThanOrEqual(0.1);
      expect(last).toMatchObject({ bucket, remaining: 0 });
    });

    it("fills up again with time, and never beyond the burst", async () => {
      const { limits, key, pass } = await open();
      for (let i = 0; i < 50; i++) await limits.take([key("refill")], bucket);
      await pass(1_000);
      expect((await limits.take([key("refill")], bucket)).remaining).toBe(2);
    });

    it("counts each key by itself", async () => {
      const { limits, key } = await open();
      for (let i = 0; i < 50; i++) await limits.take([key("a")], bucket);
      expect((await limits.take([key("b")], bucket)).retryAfterSeconds).toBeUndefined();
    });

    it("takes of no key where one of several is empty, and answers that one", async () => {
      const { limits, key } = await open();
      const slow = { perSecond: 0.001, burst: 3 };
      for (let i = 0; i < 3; i++) await limits.take([key("empty")], slow);
      expect((await limits.take([key("full"), key("empty")], slow)).retryAfterSeconds).toBeGreaterThan(1);
      expect((await limits.take([key("full")], slow)).remaining).toBe(2);
    });

    it("lets no more than the burst through when many ask at once", async () => {
      const { limits, key } = await open();
      const slow = { perSecond: 0.001, burst: 20 };
      const answers = await Promise.all(Array.from({ length: 100 }, () => limits.take([key("race")], slow)));
      expect(answers.filter((answer) => answer.retryAfterSeconds === undefined)).toHaveLength(20);
    });
  });
}
