import { isTest, isTestHelper, lineOf, walk, type Node, type SourceFile } from "./source.ts";

export interface CodeRule {
  rule: string;
  why: string;
  in(path: string): boolean;
  /** Offsets of what is against the rule. */
  find(file: SourceFile): readonly number[];
  /** Path to the reason why it may. May only shrink. */
  except?: Readonly<Record<string, string>>;
}

const production = (path: string): boolean => path.startsWith("src/") && !isTest(path) && !isTestHelper(path);
const everywhere = (): boolean => true;
export const mostLines = 400;

function nodes(file: SourceFile, matches: (node: Node) => boolean): number[] {
  const found: number[] = [];
  walk(file.program, (node) => {
    if (matches(node)) found.push(node.start);
  });
  return found;
}

/** `object.property` of a member expression such as `Date.now`. */
function member(node: unknown): string {
  const { type, object, property } = node as { type: string; object?: { name?: string }; property?: { name?: string } };
  return type === "MemberExpression" ? `${object?.name ?? ""}.${property?.name ?? ""}` : "";
}

/** Texts that a person may read: string literals and templates, but not imports, keys and types. */
function texts(file: SourceFile): { start: number; text: string }[] {
  const found: { start: number; text: string }[] = [];
  walk(file.program, (node) => {
    if (node.type === "Literal" && typeof node["value"] === "string") found.push({ start: node.start, text: node["value"] });
    if (node.type === "TemplateElement") found.push({ start: node.start, text: (node["value"] as { cooked?: string }).cooked ?? "" });
  });
  return found;
}

function matchesIn(file: SourceFile, pattern: RegExp): number[] {
  return [...file.text.matchAll(pattern)].map((match) => match.index);
}

/** Names under which vitest leaves a test out, or the others. */
const leavesOut = /\b(?:it|test|describe|suite)(?:\.\w+)*\.(only|skip|todo|fails)\b/g;

/** Where workflows are written: only orchestration, no I/O. */
export function isWorkflowCode(path: string): boolean {
  return /^src\/modules\/[a-z-]+\/workflows\//.test(path);
}

/** Names by which a function learns of the world, or changes it. */
const worldly: ReadonlySet<string> = new Set([
  "Date", "Math", "performance", "process", "console", "crypto", "fetch", "setTimeout", "setInterval", "setImmediate", "queueMicrotask", "globalThis", "require", "Worker", "WebSocket", "Intl",
]);

export const codeRules: readonly CodeRule[] = [
  {
    rule: `no file is longer than ${mostLines} lines`, why: "a longer one holds two ideas: split it by idea",
    in: everywhere, find: (file) => (file.lines > mostLines ? [0] : []),
  },
  {
    rule: "nothing is typed any", why: "it turns the compiler off for all that it touches; unknown does not",
    in: everywhere, find: (file) => nodes(file, ({ type }) => type === "TSAnyKeyword"),
  },
  {
    rule: "no default exports", why: "a thing has one name, which can be searched for",
    in: (path) => !path.endsWith(".config.ts"), find: (file) => nodes(file, ({ type }) => type === "ExportDefaultDeclaration"),
  },
  {
    rule: "no enums, namespaces, parameter properties or decorators", why: "Node runs the source by stripping its types",
    in: everywhere, find: (file) => nodes(file, ({ type }) => type === "TSEnumDeclaration" || type === "TSParameterProperty" || type === "Decorator" || type === "TSImportEqualsDeclaration"),
  },
  {
    rule: "the time comes from a clock", why: "a test sets it, and a page, its log and its event show the same one",
    in: production,
    find: (file) => nodes(file, (node) => (node.type === "CallExpression" && member(node["callee"]) === "Date.now")
      || (node.type === "NewExpression" && (node["callee"] as { name?: string }).name === "Date" && (node["arguments"] as unknown[]).length === 0)),
    except: {
      "src/platform/clock.ts": "is the clock",
      "src/platform/telemetry/log.ts": "a line of the log says when it was written, whatever time the platform is told",
    },
  },
  {
    rule: "chance is passed in", why: "a test can decide it; what must not be guessed comes from node:crypto",
    in: production, find: (file) => nodes(file, (node) => node.type === "MemberExpression" && member(node) === "Math.random"),
    except: {
      "src/app/services.ts": "passes it in, for the jitter of retries",
      "src/platform/http-client/retries.ts": "is what the parameter is where nothing is passed",
    },
  },
  {
    rule: "workflow code does the same each time", why: "it is run again from its beginning after a crash; the time, chance and the world come by steps, which are recorded",
    in: (path) => isWorkflowCode(path) && production(path),
    find: (file) => nodes(file, (node) => node.type === "Identifier" && worldly.has(String(node["name"])) || node.type === "ImportExpression"),
  },
  {
    rule: "no text has an exclamation mark", why: "errors say what happened, why and the next step; nothing else",
    in: production, find: (file) => texts(file).filter(({ text }) => /[\p{L}\p{N}]!(\s|$)/u.test(text)).map(({ start }) => start),
  },
  {
    rule: "no test is left out without saying why", why: "a test that nobody runs passes for ever; skipIf, or a name that says [skipped: why], is seen in each run",
    in: isTest, find: (file) => (file.path.startsWith("test/arch/") ? [] : matchesIn(file, leavesOut).filter((at) => !lineAt(file.text, at).includes(".skip(`${title} [skipped: "))),
  },
  {
    rule: "no work is left for later in a comment", why: "an unfinished thing is an issue, not a note that nobody finds",
    in: everywhere, find: (file) => matchesIn(file, /\/\/.*\b(TODO|FIXME|XXX|HACK)\b/g).filter((at) => !file.path.startsWith("test/arch/") || at < 0),
  },
  {
    rule: "the compiler is not told to look away", why: "what it says is either wrong in the types or wrong in the code",
    in: everywhere, find: (file) => (file.path.startsWith("test/arch/") ? [] : matchesIn(file, /\/[/*]\s*@ts-(ignore|nocheck|expect-error)/g)),
  },
  {
    rule: "a lint rule is switched off only with a reason", why: "who reads it has to see why it does not hold there",
    in: production, find: (file) => matchesIn(file, /oxlint-disable/g).filter((at) => !lineAt(file.text, at).includes(" -- ")),
  },
];

function lineAt(text: string, offset: number): string {
  return text.slice(text.lastIndexOf("\n", offset) + 1).split("\n", 1)[0] ?? "";
}

export function faultsOf(rule: CodeRule, files: readonly SourceFile[]): string[] {
  return files.filter(({ path }) => rule.in(path) && rule.except?.[path] === undefined).flatMap((file) => rule.find(file).map((at) => `${file.path}:${lineOf(file.text, at)}`));
}
