import { describe, expect, it } from "vitest";
import { orderBatch, type Unsealed } from "./seal-batch.ts";

/** `s2` is version 2 of stream s; `s2+` has a predecessor without a position. */
function events(...names: string[]): Unsealed[] {
  return names.map((name, i) => ({
    id: name, orgId: "o", stream: name.charAt(0), version: Number(name.charAt(1)), hash: Buffer.alloc(32), xid: String(i), follows: name.endsWith("+"),
  }));
}

describe("orderBatch", () => {
  it.each([
    ["keeps what is in order", ["a1", "b1", "a2+", "c7"], ["a1", "b1", "a2+", "c7"], []],
    ["puts a version behind the one before it", ["a2+", "b1", "a1"], ["b1", "a1", "a2+"], []],
    ["puts a whole run behind its first", ["a4+", "a3+", "b1", "a2+", "a1", "c1"], ["b1", "a1", "a2+", "a3+", "a4+", "c1"], []],
    ["holds back what follows an event that is not in the batch", ["a2+", "a3+", "b1"], ["b1"], ["a2+", "a3+"]],
    ["holds back behind a gap only", ["a1", "a2+", "a4+"], ["a1", "a2+"], ["a4+"]],
    ["goes on behind what is sealed", ["b1", "a6", "a7+"], ["b1", "a6", "a7+"], []],
  ])("%s", (_what, rows, placed, held) => {
    const order = orderBatch(events(...rows));
    expect(order.placed.map((event) => event.id)).toEqual(placed);
    expect(order.held.map((event) => event.id)).toEqual(held);
  });

  it("keeps streams of the same name in two organizations apart", () => {
    const [two, one] = events("a2+", "a1");
    const order = orderBatch([{ ...(two as Unsealed), orgId: "p" }, one as Unsealed]);
    expect(order.held.map((event) => event.orgId)).toEqual(["p"]);
  });
});
