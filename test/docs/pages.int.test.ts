import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { settings } from "../../src/platform/settings.ts";
import { commandFault, commandTree, ofOthers } from "./support/commands.ts";
import { anchors, codeSpans, fencedBlocks, relativeLinks } from "./support/markdown.ts";
import { root } from "./support/platform.ts";

const read = (path: string): string => readFileSync(join(root, path), "utf8");
const inFolder = (folder: string, end: string): string[] => readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(end)).map((name) => `${folder}/${name}`);

const pages = [
  "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "examples/README.md", "policies/README.md",
  ...inFolder("docs", ".md"), ...inFolder("src", "README.md"),
].sort();
const sketches = new Set(["src/platform/worker/README.md"]);
const tree = commandTree();
const source = [...inFolder("src", ".ts"), ...inFolder("scripts", "js")].filter((path) => !path.includes(".test.")).map(read).join("\n");

describe.for(pages)("%s", (page) => {
  const text = read(page);
  const spans = codeSpans(text);

  it("links to what there is", () => {
    const broken = relativeLinks(text).filter(({ target, fragment }) => {
      const path = target === "" ? join(root, page) : join(root, dirname(page), target);
      if (!existsSync(path)) return true;
      return fragment !== undefined && !anchors(readFileSync(path, "utf8")).includes(fragment);
    });
    expect(broken.map(({ target, fragment }) => (fragment === undefined ? target : `${target}#${fragment}`))).toEqual([]);
  });

  it("gives commands that there are", () => {
    const lines = [
      ...fencedBlocks(text).filter(({ language }) => language === "sh").flatMap(({ lines }) => lines.filter((line) => line !== "" && !line.startsWith("#"))),
      ...spans.filter((span) => /^(?:[A-Z_]+=\S+ )*(?:npm (?:run|test)|(?:bin\/)?qinfra [a-z])/.test(span)).filter((span) => !span.endsWith(":") && !span.startsWith("qinfra goldens")),
    ];
    expect(lines.flatMap((line) => {
      const fault = commandFault(line, tree);
      return fault === undefined ? [] : [`${line}: ${fault}`];
    })).toEqual([]);
  });

  it("names settings that there are", () => {
    const named = spans.flatMap((span) => [...span.matchAll(/\b(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|HOST|PORT)\b/g)].map((match) => match[0]));
    expect(named.filter((name) => !(name in settings) && !ofOthers.has(name) && !source.includes(`env["${name}"]`))).toEqual([]);
  });

  it("names files that there are", () => {
    const named = spans.filter((span) => /^(?:src|test|scripts|policies|migrations|docs|examples|bin)\/[\w./-]*$/.test(span));
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it.skipIf(sketches.has(page))(`shows code as it stands in the file that is named before it${sketches.has(page) ? " (a sketch, with names of the reader's own)" : ""}`, () => {
    const wrong = fencedBlocks(text).filter(({ language }) => language === "ts").filter(({ before, lines }) => {
      const [file] = /\bsrc\/[\w/.-]+\.ts\b/.exec(before) ?? [];
      return file === undefined || !read(file).includes(lines.join("\n"));
    });
    expect(wrong.map(({ line }) => `line ${line}`)).toEqual([]);
  });
});


it("the list of decisions has them all", () => {
  const listed = relativeLinks(read("docs/adr/README.md")).map(({ target }) => target);
  expect(listed.toSorted()).toEqual(readdirSync(join(root, "docs/adr")).filter((name) => name !== "README.md").toSorted());
});

it("finds the pages that everybody reads first", () => {
  expect(pages.filter((page) => !page.includes("/"))).toEqual(["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"]);
});
