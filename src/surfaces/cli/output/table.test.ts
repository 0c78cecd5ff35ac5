import { describe, expect, it } from "vitest";
import { renderTable, widthOfText } from "./table.ts";

describe("renderTable", () => {
  it("aligns columns and leaves nothing at the end of a line", () => {
    expect(renderTable(["ID", "NAME"], [["a", "first"], ["long-id", "x"]])).toBe("ID       NAME\na        first\nlong-id  x\n");
  });

  it("takes from the widest column until it fits", () => {
    const lines = renderTable(["ID", "TEXT"], [["12345", "a long text that does not fit"]], { width: 20 }).trimEnd().split("\n");
    expect(lines[1]).toBe("12345  a long text …");
  });

  it("shares what is missing between wide columns, and keeps the first whole", () => {
    const [, row = ""] = renderTable(["ID", "A", "B"], [["thing_0123456789", "a".repeat(30), "b".repeat(40)]], { width: 58 }).split("\n");
    expect(row).toBe(`thing_0123456789  ${"a".repeat(18)}…  ${"b".repeat(18)}…`);
  });

  it.each([[1], [10], [30], [59], [60], [200]])("never runs forever nor past the terminal where that can be, at width %i", (width) => {
    const rows = [["a".repeat(20), "b".repeat(25), "c"]];
    const longest = Math.max(...renderTable(["A", "B", "C"], rows, { width }).split("\n").map((line) => line.length));
    expect(longest).toBeLessThanOrEqual(Math.max(width, 8 + 2 + 8 + 2 + 8));
  });

  it("counts cells of wide and combining characters", () => {
    expect([widthOfText("abc"), widthOfText("日本"), widthOfText("e\u0301"), widthOfText("🚀")]).toEqual([3, 4, 1, 2]);
    expect(renderTable(["A", "B"], [["日本", "x"], ["abcd", "y"]])).toBe("A     B\n日本  x\nabcd  y\n");
  });

  it("lets no control character through", () => {
    expect(renderTable(["A"], [["a\u001b[31mb\nc\u202e"]])).toBe("A\na [31mb c\n");
  });

  it("is bold at the head only where colour is wanted", () => {
    expect(renderTable(["A"], [["b"]], { colour: true })).toBe("\u001b[1mA\u001b[22m\nb\n");
  });
});
