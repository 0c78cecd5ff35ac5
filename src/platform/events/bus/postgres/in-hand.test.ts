import { describe, expect, it } from "vitest";
import { createInHand, type Item } from "./in-hand.ts";

const item = (key: string, position: number | undefined): Item => ({ key, position });

describe("what a reader has in hand", () => {
  it("gives the first of each key, as many as may be in hand", () => {
    const hand = createInHand(2);
    for (const one of [item("a", 1), item("a", 2), item("b", 3), item("c", 4)]) hand.put(one);
    expect([hand.take(), hand.take(), hand.take()]).toEqual([item("a", 1), item("b", 3), undefined]);
  });

  it("gives the next of a key when the one before is settled", () => {
    const hand = createInHand(5);
    const [first, second] = [item("a", 1), item("a", 2)];
    hand.put(first);
    hand.put(second);
    expect(hand.take()).toBe(first);
    expect(hand.take()).toBeUndefined();
    hand.settle(first);
    expect(hand.take()).toBe(second);
  });

  it("is at the last before the first that is not settled, and knows those ahead of it", () => {
    const hand = createInHand(5);
    const items = [item("a", 3), item("b", 5), item("c", 9)];
    for (const one of items) hand.put(one);
    expect(hand.checkpoint(20)).toBe(2);
    const [a, b, c] = [hand.take(), hand.take(), hand.take()] as [Item, Item, Item];
    hand.settle(c);
    hand.settle(b);
    expect({ checkpoint: hand.checkpoint(20), ahead: hand.ahead(), size: hand.size() }).toEqual({ checkpoint: 2, ahead: [c, b], size: { unsettled: 1, ahead: 2 } });
    hand.settle(a);
    expect({ checkpoint: hand.checkpoint(20), ahead: hand.ahead(), size: hand.size() }).toEqual({ checkpoint: 20, ahead: [], size: { unsettled: 0, ahead: 0 } });
  });

  it("is not held back by one that is given out of its order, but keeps its key in order", () => {
    const hand = createInHand(5);
    const again = item("a", undefined);
    hand.put(again);
    hand.put(item("a", 7));
    expect(hand.take()).toBe(again);
    expect(hand.take()).toBeUndefined();
    hand.settle(again);
    expect(hand.checkpoint(20)).toBe(6);
    expect(hand.take()).toEqual(item("a", 7));
  });
});
