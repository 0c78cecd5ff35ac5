import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { leaky, leakyAllowed, ownerOf, readsOf, sqlFiles, statements, systemDoor, systemDoorUsers, writesOf, type Statement } from "./sql-rules.ts";
import { parse, root, sourceFiles } from "./source.ts";

const files = sourceFiles();
const all = statements(files);
const at = ({ path, line }: Statement): string => `${path}:${line}`;

it("finds the statements", () => {
  expect(all.length).toBeGreaterThan(80);
  expect(new Set(all.flatMap(writesOf).map(({ schema }) => schema))).toEqual(new Set(["analytics", "events", "images", "inventory", "notifications", "organizations", "platform", "software", "vulnerabilities"]));
});

it("statements stand where a reader looks for them", () => {
  expect(all.filter(({ path }) => !sqlFiles.some(({ pattern }) => pattern.test(path))).map(at)).toEqual([]);
});

it("a table is written by its own module alone", () => {
  expect(all.flatMap((statement) => foreignWrites(statement))).toEqual([]);
});

it("another module's data is read through the views that it publishes", () => {
  expect(all.flatMap((statement) => foreignReads(statement))).toEqual([]);
});

it("a views.ts writes nothing", () => {
  expect(all.filter((statement) => statement.path.endsWith("views.ts") && writesOf(statement).length > 0).map(at)).toEqual([]);
});

it("operators whose index row level security does not use stand only where that is known", () => {
  const used = all.filter(({ text }) => leaky.test(text));
  expect(used.filter(({ path, text }) => !leakyAllowed.some((one) => one.path === path && text.includes(one.part))).map(at)).toEqual([]);
  expect(leakyAllowed.filter((one) => !used.some(({ path, text }) => one.path === path && text.includes(one.part)))).toEqual([]);
});

it("only listed files open the door without row level security, and all of them do", () => {
  expect(systemDoorUsers(files).sort()).toEqual(Object.keys(systemDoor).sort());
});

describe("migrations", () => {
  const names = readdirSync(join(root, "migrations")).filter((name) => name.endsWith(".sql")).sort();

  it.each(names)("%s makes tables of its own schema alone, and takes nothing away", (name) => {
    const text = readFileSync(join(root, "migrations", name), "utf8").replaceAll(/--.*$/gm, "");
    const schema = /^\d{12}__([a-z]+)/.exec(name)?.[1];
    const made = [...text.matchAll(/create\s+(?:unlogged\s+)?(?:table|view|function|materialized view)\s+(?:if not exists\s+)?([a-z_]+)\./gi)].map((match) => match[1]);
    expect(made.filter((one) => one !== schema)).toEqual([]);
    expect(text).not.toMatch(/\bvarchar\s*\(|\btimestamp\s+without\b|\bserial\b|\bchar\s*\(/i);
  });
});

function foreignWrites(statement: Statement): string[] {
  const { name, writes } = ownerOf(statement.path);
  return writesOf(statement).filter(({ schema }) => !writes.includes(schema)).map(({ schema, table }) => `${at(statement)}: ${name} writes ${schema}.${table}`);
}

function foreignReads(statement: Statement): string[] {
  const { name, writes } = ownerOf(statement.path);
  if (name === "platform" || name === "events") return readsOf(statement).filter(({ schema }) => !["platform", "events"].includes(schema)).map(({ schema, table }) => `${at(statement)}: ${name} reads ${schema}.${table}`);
  return readsOf(statement).filter(({ schema, table }) => !writes.includes(schema) && !table.startsWith("api_")).map(({ schema, table }) => `${at(statement)}: ${name} reads ${schema}.${table}`);
}

describe("the rules catch what they forbid", () => {
  function only(path: string, text: string): Statement {
    const [statement] = statements([parse(path, text)]);
    if (statement === undefined) throw new Error("no statement was found");
    return statement;
  }

  it.each([
    ["insert into software.packages (id) values (1)", ["images writes software.packages"]],
    ["with a as (delete from software.packages returning id) select * from a", ["images writes software.packages"]],
    ["update only software.packages set name = ''", ["images writes software.packages"]],
    ["insert into images.golden_images (id) values (1) on conflict (id) do update set id = excluded.id", []],
    ["select id from images.golden_images for update", []],
  ])("writing: %s", (text, expected) => {
    const statement = only("src/modules/images/store.ts", `const a = sql\`${text}\`;`);
    expect(foreignWrites(statement)).toEqual(expected.map((fault) => `${at(statement)}: ${fault}`));
  });

  it.each([
    ["select * from software.packages", ["images reads software.packages"]],
    ["select * from images.golden_images join software.packages p on true", ["images reads software.packages"]],
    ["select * from software.api_components", []],
  ])("reading: %s", (text, expected) => {
    const statement = only("src/modules/images/views.ts", `const a = sql\`${text}\`;`);
    expect(foreignReads(statement)).toEqual(expected.map((fault) => `${at(statement)}: ${fault}`));
  });

  it.each([["facts @> '{}'", true], ["name like 'a%'", true], ["name ILIKE 'a%'", true], ["t @@ to_tsquery('a')", true], ["name ~ '^a'", true], ["name = any(array['like'])", true], ["a = b and c <> d", false], ["unlike = 1", false]])("%s", (condition, caught) => {
    expect(leaky.test(`select 1 from a.b where ${condition}`)).toBe(caught);
  });

  it("a text that is a statement without its tag", () => {
    expect(statements([parse("src/modules/images/domain.ts", 'client.query("select id from images.golden_images");')])).toHaveLength(1);
    expect(statements([parse("src/modules/images/domain.ts", 'const a = "Select a family from the list. Then go on.";')])).toHaveLength(0);
  });

  it("the system door behind another name", () => {
    for (const text of ["services.database.system(work);", "const ask = database.lookup;", "const { direct } = ports.database;", "await database.direct();"]) {
      expect(systemDoorUsers([parse("src/modules/images/a.ts", text)])).toEqual(["src/modules/images/a.ts"]);
    }
    expect(systemDoorUsers([parse("src/modules/images/a.ts", "ports.database.tenant(org, work); const { system } = other;")])).toEqual([]);
  });
});
