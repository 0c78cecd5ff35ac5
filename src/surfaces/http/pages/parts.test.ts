import { describe, expect, test } from "vitest";
import { html, render } from "./html.ts";
import { ago, count, prose, table, waitText } from "./parts.ts";

const now = Date.UTC(2026, 10, 21, 12);

test.each([
  ["2026-11-21T12:00:00Z", "just now"], ["2026-11-21T11:59:01Z", "just now"], ["2026-11-21T11:59:00Z", "1 minute ago"], ["2026-11-21T10:00:00Z", "2 hours ago"],
  ["2026-11-20T12:00:01Z", "23 hours ago"], ["2026-08-21T12:00:00Z", "92 days ago"], ["2026-11-22T12:00:00Z", "in the future"],
])("%s was %s", (time, text) => {
  expect(ago(time, now)).toBe(text);
});

test.each([[0.2, "1 second"], [40, "40 seconds"], [89.5, "90 seconds"], [90, "2 minutes"], [901, "16 minutes"]])("waiting %s s is %s", (seconds, text) => {
  expect(waitText(seconds)).toBe(text);
});

test.each([[1, "1 package"], [0, "0 packages"], [12_345, "12,345 packages"]])("%i is %s", (number, text) => {
  expect(count(number, "package")).toBe(text);
});

test("backticks of a declaration stand round code, which is escaped", () => {
  expect(render(html`${prose("use `a <b>` for <c>")}`)).toBe("use <code>a &lt;b&gt;</code> for &lt;c&gt;");
  expect(render(html`${prose(undefined)}`)).toBe("");
});

describe("a table", () => {
  test("labels each cell with its column and each row with its first cell", () => {
    const shown = render(table("Feeds", ["Name", 'A "b"'], [["x", 1]]));
    expect(shown).toContain("<caption>Feeds</caption>");
    expect(shown).toContain('<th role="rowheader" scope="row">x</th><td role="cell" data-label="A &quot;b&quot;"><div>1</div></td>');
  });
});
