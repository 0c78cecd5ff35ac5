import { expect, it } from "vitest";
import { endsWithin } from "./run.ts";

it("says whether the work ended in time, and passes its error on", async () => {
  expect(await endsWithin(60_000, Promise.resolve())).toBe(true);
  expect(await endsWithin(1, new Promise(() => undefined))).toBe(false);
  await expect(endsWithin(60_000, Promise.reject(new Error("no good")))).rejects.toThrow("no good");
});
