import { expect, it, vi } from "vitest";
import { createChecks } from "./checks.ts";

it("answers all checks, whatever one of them does", async () => {
  vi.useFakeTimers();
  const checks = createChecks({ good: async () => "ok", broken: () => Promise.reject(new Error("secret")), slow: () => new Promise(() => undefined) }, { now: () => 0 });
  const answer = checks();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await answer).toEqual({ good: "ok", broken: "does not answer", slow: "does not answer within 3 s" });
  vi.useRealTimers();
});

it("asks once a second at most", async () => {
  let now = 0;
  let asked = 0;
  const checks = createChecks({ counted: async () => String((asked += 1)) }, { now: () => now });
  expect([await checks(), await checks()]).toEqual([{ counted: "1" }, { counted: "1" }]);
  now = 1_000;
  expect(await checks()).toEqual({ counted: "2" });
});
