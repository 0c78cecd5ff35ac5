import { describe, expect, test } from "vitest";
import { stylesheet, stylesheetPath } from "./stylesheet.ts";

/** The colours of a scheme by name; the dark one comes second and inherits none of them. */
function coloursOf(scheme: "light" | "dark"): Map<string, string> {
  const blocks = [...stylesheet.matchAll(/:root \{([^}]+)\}/g)].map(([, block]) => block ?? "");
  return new Map([...(blocks[scheme === "light" ? 0 : 1] ?? "").matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = "", value = ""]) => [name, value]));
}

/** Relative luminance, WCAG 2.2. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const onGrounds = ["text", "muted", "accent", "info", "bad"].flatMap((text) => ["ground", "panel", "sunk"].map((ground) => [text, ground] as const));
const onTheirs = ["ok", "warn", "info", "bad", "high", "none", "unknown", "critical"].map((name) => [name, `${name}-ground`] as const);

describe.each(["light", "dark"] as const)("the %s scheme", (scheme) => {
  const colours = coloursOf(scheme);
  test.each([...onGrounds, ...onTheirs, ["accent-text", "accent"] as const])("%s can be read on %s", (text, ground) => {
    expect(contrast(colours.get(text) as string, colours.get(ground) as string)).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["line-strong", "focus"])("%s can be told from its ground", (name) => {
    for (const ground of ["ground", "panel"]) expect(contrast(colours.get(name) as string, colours.get(ground) as string)).toBeGreaterThanOrEqual(3);
  });
});

test("loads nothing from elsewhere and is named by its content", () => {
  expect(stylesheet).not.toMatch(/url\(|@import|@font-face/);
  expect(stylesheetPath).toMatch(/^\/static\/style\.[0-9a-f]{16}\.css$/);
});
