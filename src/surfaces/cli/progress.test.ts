import { describe, expect, it } from "vitest";
import { createProgressLine, progressText } from "./progress.ts";
import { collector } from "./testing/run.ts";

describe("progress", () => {
  it.each([
    [{ step: "reading" }, "reading"], [{ step: "reading", done: 3 }, "reading: 3"], [{ step: "reading", done: 3, total: 0 }, "reading: 3"],
    [{ step: "reading", done: 1, total: 3 }, "reading: 1 of 3 (33 %)"], [{ step: "reading", done: 9, total: 3 }, "reading: 9 of 3 (100 %)"],
    [{ step: "a\u001b[2Jb" }, "a [2Jb"],
  ])("%j", (progress, text) => {
    expect(progressText(progress)).toBe(text);
  });

  it("is one line on a terminal, cut to its width, and gone at the end", () => {
    let now = 0;
    const err = collector(10);
    const line = createProgressLine({ stderr: err.stream, now: () => now });
    line.show({ step: "reading everything" });
    line.show({ step: "too soon" });
    now = 200;
    line.show({ step: "b" });
    line.end();
    line.end();
    expect(err.text()).toBe("\r\u001b[Kreading e\r\u001b[Kb\r\u001b[K");
  });

  it("is a line every few seconds in a log", () => {
    let now = 0;
    const err = collector();
    const line = createProgressLine({ stderr: err.stream, now: () => now });
    for (now = 0; now <= 9_000; now += 500) line.show({ step: "reading", done: now });
    line.end();
    expect(err.text()).toBe("reading: 3000\nreading: 6000\nreading: 9000\n");
  });
});
