import { describe, expect, it } from "vitest";
import { codeRules, faultsOf, mostLines } from "./code-rules.ts";
import { parse, sourceFiles } from "./source.ts";

const files = sourceFiles();

describe.each(codeRules)("$rule", (rule) => {
  it(`holds: ${rule.why}`, () => {
    expect(faultsOf(rule, files)).toEqual([]);
  });

  it("needs its exceptions still", () => {
    const { except: _, ...strict } = rule;
    const faulty = new Set(faultsOf(strict, files).map((fault) => fault.split(":")[0]));
    expect(Object.keys(rule.except ?? {}).filter((path) => !faulty.has(path))).toEqual([]);
  });
});

describe("the rules catch what they forbid", () => {
  const src = "src/platform/example.ts";
  const cases: readonly { rule: string; path: string; text: string; caught: boolean }[] = [
    { rule: `no file is longer than ${mostLines} lines`, path: src, text: "\n".repeat(401), caught: true },
    { rule: `no file is longer than ${mostLines} lines`, path: src, text: "\n".repeat(400), caught: false },
    { rule: "nothing is typed any", path: src, text: "export const a = 1 as any;", caught: true },
    { rule: "nothing is typed any", path: src, text: 'export const any = "any"; // any', caught: false },
    { rule: "no default exports", path: src, text: "export default 1;", caught: true },
    { rule: "no enums, namespaces, parameter properties or decorators", path: src, text: "enum A { b }", caught: true },
    { rule: "the time comes from a clock", path: src, text: "export const at = new Date();", caught: true },
    { rule: "the time comes from a clock", path: src, text: "export const at = Date.now();", caught: true },
    { rule: "the time comes from a clock", path: src, text: "export const at = (clock) => new Date(clock.now());", caught: false },
    { rule: "chance is passed in", path: src, text: "export const dice = Math.random;", caught: true },
    ...["Date.now()", "new Date(0)", "Math.random()", "setTimeout(f, 1)", "fetch(u)", "process.env", 'import("node:fs")', "crypto.randomUUID()"].map((text) => (
      { rule: "workflow code does the same each time", path: "src/modules/images/workflows/build.ts", text: `export const a = () => ${text};`, caught: true })),
    { rule: "workflow code does the same each time", path: "src/modules/images/steps/build.ts", text: "export const a = () => fetch(u);", caught: false },
    { rule: "workflow code does the same each time", path: "src/modules/images/workflows/build.ts", text: "export const a = (flow) => flow.sleep(60);", caught: false },
    { rule: "no text has an exclamation mark", path: src, text: "export const a = `Done! ${1}`;", caught: true },
    { rule: "no text has an exclamation mark", path: src, text: 'export const a = "a != b"; // Done!', caught: false },
    { rule: "no test is left out without saying why", path: "src/a.test.ts", text: 'it.skip("a", () => {});', caught: true },
    { rule: "no test is left out without saying why", path: "src/a.test.ts", text: 'describe.each([1]).only("a", () => {});', caught: false },
    { rule: "no test is left out without saying why", path: "src/a.test.ts", text: 'describe.only("a", () => {});', caught: true },
    { rule: "no test is left out without saying why", path: "src/a.test.ts", text: 'it.skipIf(missing)("a, skipped: no data", () => {});', caught: false },
    { rule: "no work is left for later in a comment", path: src, text: "// TODO: later", caught: true },
    { rule: "the compiler is not told to look away", path: src, text: "// @ts-expect-error", caught: true },
    { rule: "a lint rule is switched off only with a reason", path: src, text: "export const a = 1; // oxlint-disable-line no-console\n", caught: true },
    { rule: "a lint rule is switched off only with a reason", path: src, text: "export const a = 1; // oxlint-disable-line no-console -- is the console\n", caught: false },
  ];

  it.each(cases)("$rule: $text ($caught)", ({ rule, path, text, caught }) => {
    const found = codeRules.find((one) => one.rule === rule);
    if (found === undefined) throw new Error(`there is no rule "${rule}"`);
    expect(faultsOf(found, [parse(path, text)]).length > 0).toBe(caught);
  });
});
