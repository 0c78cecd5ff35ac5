import { describe, expect, it } from "vitest";
import { createBatcher } from "./batch.ts";

describe("a batcher", () => {
  it("given questions of one moment, then one load answers them in order", async () => {
    const loads: number[][] = [];
    const ask = createBatcher(async (questions: readonly number[]) => (loads.push([...questions]), questions.map((n) => n * 2)));
    expect(await Promise.all([1, 2, 3].map(ask))).toEqual([2, 4, 6]);
    expect(loads).toEqual([[1, 2, 3]]);
  });

  it("given a load that has begun, then a later question waits for the next", async () => {
    const loads: { questions: readonly string[]; finish(): void }[] = [];
    const ask = createBatcher((questions: readonly string[]) => new Promise<readonly string[]>((resolve) => {
      loads.push({ questions, finish: () => resolve(questions) });
    }), { atOnce: 1 });
    const first = ask("a");
    await new Promise((resolve) => setImmediate(resolve));
    const later = [ask("b"), ask("c")];
    expect(loads.map((load) => load.questions)).toEqual([["a"]]);
    loads[0]?.finish();
    expect(await first).toBe("a");
    loads[1]?.finish();
    expect(await Promise.all(later)).toEqual(["b", "c"]);
    expect(loads.map((load) => load.questions)).toEqual([["a"], ["b", "c"]]);
  });

  it("given a load that fails, then its askers are told, and the next load works", async () => {
    let fails = true;
    const ask = createBatcher(async (questions: readonly number[]) => (fails ? Promise.reject(new Error("no database")) : questions));
    await expect(Promise.all([ask(1), ask(2)])).rejects.toThrow("no database");
    fails = false;
    expect(await ask(3)).toBe(3);
  });

  it("given more than one load takes, then none is left over", async () => {
    const sizes: number[] = [];
    const ask = createBatcher(async (questions: readonly number[]) => (sizes.push(questions.length), questions), { most: 2, atOnce: 1 });
    expect(await Promise.all([1, 2, 3, 4, 5].map(ask))).toEqual([1, 2, 3, 4, 5]);
    expect(sizes).toEqual([2, 2, 1]);
  });

  it("given too few answers, then nobody gets another's", async () => {
    const ask = createBatcher(async () => []);
    await expect(ask(1)).rejects.toThrow(/another number of answers/);
  });
});
