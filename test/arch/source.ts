import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, resolve } from "node:path";
import { parseAst } from "vitest/node";

export const root = resolve(import.meta.dirname, "../..");

export interface Import {
  /** `src/platform/ids.ts`, or the package's name: `pg`, `node:fs`. */
  target: string;
  /** Gone when the types are stripped. */
  typeOnly: boolean;
  line: number;
}

export interface SourceFile {
  /** From the root, with slashes. */
  path: string;
  text: string;
  lines: number;
  imports: readonly Import[];
  program: Node;
}

/** A node of the ESTree of a file; only what the rules ask for. */
export interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

let files: readonly SourceFile[] | undefined;

/** Every TypeScript file of src, test and bench, parsed once. */
export function sourceFiles(): readonly SourceFile[] {
  files ??= ["src", "test", "bench"].flatMap((folder) => namesIn(join(root, folder))).map((path) => parse(relative(root, path).replaceAll("\\", "/"), readFileSync(path, "utf8")));
  return files;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.endsWith(".ts")).map((entry) => join(entry.parentPath, entry.name)).sort();
  } catch {
    return []; // a folder that is not there yet
  }
}

export function parse(path: string, text: string): SourceFile {
  const program = parseAst(text, { lang: "ts" }, path) as unknown as Node;
  return { path, text, lines: text.split("\n").length - 1, imports: importsOf(path, text, program), program };
}

/** Calls `visit` for each node, parents first. */
export function walk(node: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(node)) return node.forEach((item) => walk(item, visit));
  if (typeof node !== "object" || node === null) return;
  if (typeof (node as Node).type === "string") visit(node as Node);
  for (const value of Object.values(node)) if (typeof value === "object") walk(value, visit);
}

function importsOf(path: string, text: string, program: Node): Import[] {
  const found: Import[] = [];
  function add(source: unknown, typeOnly: boolean, node: Node): void {
    const specifier = (source as { value?: unknown } | null)?.value;
    if (typeof specifier === "string") found.push({ target: targetOf(path, specifier), typeOnly, line: lineOf(text, node.start) });
  }
  walk(program, (node) => {
    if (node.type === "ImportDeclaration" || node.type === "ExportNamedDeclaration") {
      const specifiers = (node["specifiers"] ?? []) as { importKind?: string; exportKind?: string }[];
      const kind = node["importKind"] ?? node["exportKind"];
      // `import { type A }` alone still runs the other file: what is stripped is the name, not the import.
      const erased = specifiers.length > 0 && specifiers.every((one) => (one.importKind ?? one.exportKind) === "type") && node.type === "ExportNamedDeclaration";
      add(node["source"], kind === "type" || erased, node);
    }
    if (node.type === "ExportAllDeclaration") add(node["source"], node["exportKind"] === "type", node);
    if (node.type === "ImportExpression") add(node["source"], false, node);
    if (node.type === "TSImportType") add(node["source"] ?? node["argument"], true, node);
  });
  return found;
}

function targetOf(path: string, specifier: string): string {
  if (specifier.startsWith(".")) return posix.normalize(posix.join(dirname(path), specifier));
  if (specifier.startsWith("node:")) return specifier;
  return specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

export function isTest(path: string): boolean {
  return path.endsWith(".test.ts") || path.startsWith("test/") || path.startsWith("bench/");
}

/** What only tests use: helpers, fixtures, contract suites. */
export function isTestHelper(path: string): boolean {
  return /\/testing\//.test(path) || /\/testing(-[a-z]+)?\.ts$/.test(path) || path.endsWith("/contract.ts");
}

/** Everything that runs when `path` is loaded, each with the way there. */
export function reachedFrom(path: string, all: readonly SourceFile[]): Map<string, readonly string[]> {
  const byPath = new Map(all.map((file) => [file.path, file]));
  const ways = new Map<string, readonly string[]>([[path, [path]]]);
  for (const [current, way] of ways) {
    for (const { target, typeOnly } of byPath.get(current)?.imports ?? []) {
      if (!typeOnly && !ways.has(target)) ways.set(target, [...way, target]);
    }
  }
  return ways;
}
