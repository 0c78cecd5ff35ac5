import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modules } from "../../src/app/modules.ts";
import { codeSpans, tableRows } from "./support/markdown.ts";
import { root } from "./support/platform.ts";

const read = (path: string): string => readFileSync(join(root, path), "utf8");
const migrations = readdirSync(join(root, "migrations")).filter((name) => name.endsWith(".sql")).map((name) => read(`migrations/${name}`)).join("\n");

/** Schemas of the platform itself; a module of that name shows what is in them. */
const platformSchemas = new Set(["events", "platform"]);

/** What the migrations make in a module's schema: `kind` is table or view. */
function made(schema: string, kind: "table" | "view"): string[] {
  if (platformSchemas.has(schema)) return [];
  return [...migrations.matchAll(new RegExp(`^create ${kind} ${schema}\\.(\\w+)`, "gm"))].map((match) => match[1] ?? "");
}

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

describe("the table of modules in ARCHITECTURE.md", () => {
  const rows = tableRows(read("ARCHITECTURE.md"), "module").map(([module = "", , tables = ""]) => ({ name: /\[(\w+)\]/.exec(module)?.[1] ?? module, tables }));

  it("names the modules that there are", () => {
    expect(sorted(rows.map(({ name }) => name))).toEqual(sorted(modules.map(({ name }) => name)));
  });

  it.for(rows)("says rightly whether $name has tables", ({ name, tables }) => {
    expect(tables).toBe(made(name, "table").length === 0 ? "none" : `\`${name}.*\``);
  });
});

describe("the folders of modules", () => {
  it("are the modules of the program", () => {
    const folders = readdirSync(join(root, "src/modules"), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
    expect(sorted(folders)).toEqual(sorted(modules.map(({ name }) => name)));
  });
});

describe.for(modules)("README.md of $name", ({ name, operations }) => {
  const path = `src/modules/${name}/README.md`;
  const text = existsSync(join(root, path)) ? read(path) : "";
  const spans = codeSpans(text);
  const inTable = (heading: string): string[] => tableRows(text, heading).flatMap(([first = ""]) => codeSpans(first));

  it("fits on a screen", () => {
    expect(text.split("\n").length, `${path}: lines`).toBeGreaterThan(10);
    expect(text.split("\n").length, `${path}: lines`).toBeLessThanOrEqual(80);
  });

  it("lists the tables that the migrations make", () => {
    expect(sorted(inTable("table"))).toEqual(sorted(made(name, "table")));
  });

  it("names the views that others may read", () => {
    expect(sorted(made(name, "view").filter((view) => !spans.includes(view)))).toEqual([]);
  });

  it("lists its operations with what they need", () => {
    const listed = tableRows(text, "operation").flatMap(([ids = "", needs = ""]) => codeSpans(ids).map((id) => [id, codeSpans(needs)[0] ?? "open"]));
    const declared = operations.map(({ id, permission }) => [id, permission === "public" || permission === "self" ? "open" : permission]);
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(declared));
  });

  it("names the events that its source names", () => {
    const file = `src/modules/${name}/events.ts`;
    const events = existsSync(join(root, file)) ? [...read(file).matchAll(/"([a-z-]+\.[a-z-]+)"/g)].map((match) => match[1] ?? "") : [];
    expect(sorted(events.filter((event) => !spans.includes(event)))).toEqual([]);
  });
});
