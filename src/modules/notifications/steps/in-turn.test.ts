import { describe, expect, it } from "vitest";
import { outcome } from "../channels/outcome.ts";
import type { ToSend } from "../delivery-views.ts";
import { inTurn } from "./in-turn.ts";

const deliveries = Array.from({ length: 8 }, (_, n) => ({ id: String(n) })) as ToSend[];

describe("given deliveries of a channel", () => {
  it.each([
    ["is quick", 1_000, 8], ["takes its time", 50_000, 2], ["is as slow as it may be", 91_000, 1],
  ])("when the other side %s, then none is begun that could not end within the step, and the rest is left for later", async (_what, ms, sent) => {
    let now = 1_700_000_000_000;
    const tried = await inTurn(deliveries, 1, { now: () => now }, async () => {
      now += ms;
      return outcome("delivered");
    });
    expect(tried.map(({ result }) => result.outcome)).toEqual(deliveries.map((_, n) => (n < sent ? "delivered" : "later")));
  });

  it("when the other side does not work, then the rest is left for later", async () => {
    const tried = await inTurn(deliveries, 1, { now: () => 0 }, () => Promise.resolve(outcome("again", { unwell: true })));
    expect(tried.map(({ result }) => result.outcome)).toEqual(["again", ...Array.from({ length: 7 }, () => "later")]);
  });
});
