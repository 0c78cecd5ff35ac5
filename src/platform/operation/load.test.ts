import { describe, expect, it } from "vitest";
import { createLoadShedder, levelOf, type LoadLevel } from "./load.ts";

const idle = { loopDelayMs: 20, waitingShare: 0 };

describe("the level of load", () => {
  it.each([
    ["an idle server", idle, idle, "normal"],
    ["one long pause", { ...idle, loopDelayMs: 3_000 }, idle, "normal"],
    ["a slow event loop", { ...idle, loopDelayMs: 600 }, { ...idle, loopDelayMs: 510 }, "busy"],
    ["a long queue for the database", { ...idle, waitingShare: 9 }, { ...idle, waitingShare: 8 }, "busy"],
    ["first the loop, then the queue", { ...idle, waitingShare: 9 }, { ...idle, loopDelayMs: 700 }, "busy"],
    ["a loop that hardly turns", { ...idle, loopDelayMs: 2_500 }, { ...idle, loopDelayMs: 2_200 }, "overwhelmed"],
    ["a queue that does not end", { ...idle, waitingShare: 40 }, { ...idle, waitingShare: 33 }, "overwhelmed"],
  ])("of %s", (_what, now, before, level) => {
    expect(levelOf(now, before)).toBe(level);
  });
});

describe("shedding load", () => {
  it.each<[LoadLevel, string[]]>([
    ["normal", []],
    ["busy", ["change", "destructive", "pure"]],
    ["overwhelmed", ["change", "destructive", "pure", "read"]],
  ])("when %s refuses %j", (level, refused) => {
    const shedder = createLoadShedder(() => level);
    const found = (["read", "change", "destructive", "pure"] as const).filter((effect) => {
      try {
        shedder.admit({ effect, permission: "images:read" });
        return false;
      } catch {
        return true;
      }
    });
    expect(found.toSorted()).toEqual(refused);
  });

  it("says when to come again, and always lets a person see who they are", () => {
    const shedder = createLoadShedder(() => "overwhelmed");
    expect(() => shedder.admit({ effect: "read", permission: "images:read" })).toThrow("repeat the request in 5 s");
    expect(() => shedder.admit({ effect: "read", permission: "self" })).not.toThrow();
  });
});
