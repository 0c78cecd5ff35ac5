import { describe, expect, it } from "vitest";
import { createLanes } from "./lanes.ts";

interface Step {
  begun: string[];
  /** Ends what runs under that name. */
  end(item: string): Promise<void>;
}

function lanesOf(atOnce: number): Step & { lanes: ReturnType<typeof createLanes<string>>; put(...items: string[]): Promise<void> } {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const lanes = createLanes<string>(atOnce, async (item, aside) => {
    begun.push(item);
    const wait = new Promise<void>((resolve) => ends.set(item, resolve));
    await (item.endsWith("?") ? aside(wait) : wait);
  });
  return {
    begun, lanes,
    async end(item) {
      ends.get(item)?.();
      await turn();
    },
    async put(...items) {
      for (const item of items) lanes.add(item.slice(0, 1), item);
      await turn();
    },
  };
}

describe("lanes", () => {
  it("begin one item of a key at a time, and no more than they may", async () => {
    const { begun, end, put } = lanesOf(2);
    await put("a1", "a2", "b1", "c1");
    expect(begun).toEqual(["a1", "b1"]);
    await end("a1");
    expect(begun).toEqual(["a1", "b1", "c1"]);
    await end("b1");
    expect(begun).toEqual(["a1", "b1", "c1", "a2"]);
  });

  it("hold the key of an item that waits, and give its place away", async () => {
    const { begun, end, put } = lanesOf(1);
    await put("a1?", "a2", "b1");
    expect(begun).toEqual(["a1?", "b1"]);
    await end("a1?");
    expect(begun).toEqual(["a1?", "b1"]);
    await end("b1");
    expect(begun).toEqual(["a1?", "b1", "a2"]);
  });

  it("give back what has not begun, and are settled when the rest is done", async () => {
    const { begun, end, lanes, put } = lanesOf(1);
    await put("a1", "a2", "b1");
    expect(lanes.clear()).toEqual(["a2", "b1"]);
    let settled = false;
    void lanes.settled().then(() => (settled = true));
    await put();
    expect(settled).toBe(false);
    await end("a1");
    expect(settled).toBe(true);
    await put("b2");
    expect(begun).toEqual(["a1", "b2"]);
    await end("b2");
    await lanes.settled();
  });
});
