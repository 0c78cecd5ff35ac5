import { describe, expect, it } from "vitest";
import { keyedWork } from "./keyed-work.ts";

interface Step {
  name: string;
  end(): void;
}

function workOf(atOnce: number) {
  const begun: Step[] = [];
  const work = keyedWork<string>(atOnce, (name) => new Promise((end) => void begun.push({ name, end })));
  return {
    work, names: () => begun.map(({ name }) => name),
    async end(name: string): Promise<void> {
      begun.find((step) => step.name === name)?.end();
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

describe("work by key", () => {
  it("does one of a key at a time, in order, and others beside it", async () => {
    const { work, names, end } = workOf(3);
    for (const name of ["a1", "a2", "b1", "a3", "b2"]) work.add(name.charAt(0), name);
    expect(names()).toEqual(["a1", "b1"]);
    await end("b1");
    expect(names()).toEqual(["a1", "b1", "b2"]);
    await end("a1");
    await end("a2");
    expect(names()).toEqual(["a1", "b1", "b2", "a2", "a3"]);
  });

  it("does no more at once than it may, and takes keys in turn", async () => {
    const { work, names, end } = workOf(1);
    for (const name of ["a1", "a2", "b1", "c1"]) work.add(name.charAt(0), name);
    for (const [ended, expected] of [["a1", "b1"], ["b1", "c1"], ["c1", "a2"]] as const) {
      await end(ended);
      expect(names().at(-1)).toBe(expected);
    }
  });

  it("forgets what has not begun, and keeps the order of a key that is being done", async () => {
    const { work, names, end } = workOf(1);
    for (const name of ["a1", "a2", "b1"]) work.add(name.charAt(0), name);
    work.clear();
    work.add("a", "a3");
    expect(names()).toEqual(["a1"]);
    await end("a1");
    expect(names()).toEqual(["a1", "a3"]);
  });

  it("begins nothing while it is held, and is idle when the last has ended", async () => {
    const { work, names, end } = workOf(2);
    work.add("a", "a1");
    work.hold();
    work.add("b", "b1");
    let idle = false;
    const waiting = work.idle().then(() => (idle = true));
    expect(idle).toBe(false);
    await end("a1");
    await waiting;
    expect(names()).toEqual(["a1"]);
    work.go();
    expect(names()).toEqual(["a1", "b1"]);
  });
});
