import { describe, expect, it } from "vitest";
import { importRules, isPurePart, moduleCycles, violations } from "./import-rules.ts";
import { parse, sourceFiles } from "./source.ts";

const files = sourceFiles();

it("reads the whole source tree", () => {
  expect(files.length).toBeGreaterThan(200);
  const known = new Set(files.map(({ path }) => path));
  const lost = files.flatMap(({ path, imports }) => imports.filter(({ target }) => target.startsWith("src/") && target.endsWith(".ts") && !known.has(target)).map(({ target }) => `${path} -> ${target}`));
  expect(lost).toEqual([]);
});

describe.each(importRules)("$rule", (rule) => {
  it(`holds: ${rule.why}`, () => {
    expect(violations(rule, files)).toEqual([]);
  });

  it("binds files, and its exceptions are still needed", () => {
    expect(files.filter(({ path }) => rule.from(path)).length).toBeGreaterThan(0);
    const { except: _, ...strict } = rule;
    const needed = new Set(violations(strict, files).map((violation) => violation.split(/[: ]/)[0]));
    expect(Object.keys(rule.except ?? {}).filter((path) => !needed.has(path))).toEqual([]);
  });
});

it("modules do not use each other in a ring", () => {
  expect(moduleCycles(files)).toEqual([]);
});

it("every pure part that is named is there", () => {
  for (const part of ["software/parsers/", "software/purl.ts", "software/component.ts", "vulnerabilities/domain/", "vulnerabilities/feeds/", "vulnerabilities/formats/", "inventory/collectors/"]) {
    expect([part, files.some(({ path }) => path.startsWith(`src/modules/${part}`) && isPurePart(path))]).toEqual([part, true]);
  }
});

describe("the rules catch what they forbid", () => {
  const cases: readonly { rule: string; path: string; text: string; caught: boolean }[] = [
    { rule: "the platform knows no module, no surface and no app", path: "src/platform/a.ts", text: 'import type { A } from "../modules/images/index.ts";', caught: true },
    { rule: "modules know no surface and no app", path: "src/modules/images/a.ts", text: 'import { a } from "../../app/root.ts";', caught: true },
    { rule: "surfaces know no app", path: "src/surfaces/http/a.ts", text: 'export * from "../../app/root.ts";', caught: true },
    { rule: "a module is entered through its index.ts, or through its pure parts", path: "src/modules/images/a.ts", text: 'import type { A } from "../software/store.ts";', caught: true },
    { rule: "a module is entered through its index.ts, or through its pure parts", path: "src/modules/images/a.ts", text: 'import { a } from "../software/index.ts"; import { b } from "../software/purl.ts"; import { c } from "./store.ts";', caught: false },
    { rule: "parsers, matching and collectors reach no database and no server", path: "src/modules/software/parsers/a.ts", text: 'import { a } from "../store.ts";', caught: true },
    { rule: "parsers, matching and collectors reach no database and no server", path: "src/modules/software/parsers/a.ts", text: 'import type { Db } from "../../../platform/database/database.ts";', caught: false },
    { rule: "the CLI never loads the server, the database or the app", path: "src/surfaces/cli/a.ts", text: 'export async function a() { return import("../../modules/images/index.ts"); }', caught: true },
    { rule: "workflow code imports descriptors and nothing else", path: "src/modules/images/workflows/a.ts", text: 'import { imageById } from "../views.ts";', caught: true },
    { rule: "workflow code imports descriptors and nothing else", path: "src/modules/images/workflows/a.ts", text: 'import type { Db } from "../../../platform/database/database.ts";', caught: true },
    { rule: "workflow code imports descriptors and nothing else", path: "src/modules/images/workflows/a.ts", text: 'import { step } from "../../../platform/workflow/declare.ts"; import { b } from "./b.ts";', caught: false },
    { rule: "operations have no way out", path: "src/modules/images/operations/a.ts", text: 'import { readFile } from "node:fs/promises";', caught: true },
    { rule: "what is made for tests is used by tests", path: "src/modules/images/a.ts", text: 'import { a } from "../../platform/testing/database.ts";', caught: true },
    { rule: "PostgreSQL's driver is used by the database port alone", path: "src/modules/images/a.ts", text: 'import pg from "pg";', caught: true },
    { rule: "what goes out goes through the one HTTP client", path: "src/modules/images/a.ts", text: 'import { request } from "undici";', caught: true },
    { rule: "domain rules reach nothing outside at all", path: "src/modules/images/domain.ts", text: 'import { readFileSync } from "node:fs";', caught: true },
    { rule: "only the composition root knows which modules there are", path: "src/surfaces/http/a.ts", text: 'import { modules } from "../../app/modules.ts";', caught: true },
  ];

  it.each(cases)("$rule: $text ($caught)", ({ rule, path, text, caught }) => {
    const found = importRules.find((one) => one.rule === rule);
    if (found === undefined) throw new Error(`there is no rule "${rule}"`);
    const faults = violations(found, [...files.filter((file) => file.path !== path), parse(path, `${text}\n`)]).filter((fault) => fault.startsWith(path));
    expect(faults.length > 0).toBe(caught);
  });

  it("a ring of modules", () => {
    const ring = [parse("src/modules/images/a.ts", 'import "../software/index.ts";\n'), parse("src/modules/software/a.ts", 'import type { A } from "../images/index.ts";\n')];
    expect(moduleCycles(ring)).toEqual(["images -> software -> images", "software -> images -> software"]);
  });
});
