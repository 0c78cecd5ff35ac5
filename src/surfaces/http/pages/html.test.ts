import { describe, expect, test } from "vitest";
import { html, nothing, render, type HtmlValue } from "./html.ts";

describe("html", () => {
  test.each<[string, HtmlValue, string]>([
    ["markup in text", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ["an entity, which stays what was written", "&lt;", "&amp;lt;"],
    ["the end of a double-quoted attribute", '" onclick="x', "&quot; onclick=&quot;x"],
    ["the end of a single-quoted attribute", "' onclick='x", "&#39; onclick=&#39;x"],
    ["a number", 0, "0"],
    ["nothing at all", [null, undefined, true, false, "", nothing], ""],
    ["a list, each for itself", ["<", html`<br>`, [">"]], "&lt;<br>&gt;"],
  ])("escapes %s", (_name, value, expected) => {
    expect(render(html`${value}`)).toBe(expected);
  });

  test("takes no object of the data for markup", () => {
    const pretender = JSON.parse('{"Symbol(markup)":"<b>","markup":"<b>"}') as HtmlValue;
    expect(() => html`${pretender}`).toThrow(TypeError);
  });

  test("keeps what a template nests", () => {
    const item = (text: string) => html`<li title="${text}">${text}</li>`;
    expect(render(html`<ul>${["a", '"b"'].map(item)}</ul>`)).toBe('<ul><li title="a">a</li><li title="&quot;b&quot;">&quot;b&quot;</li></ul>');
  });
});
