import { isWorkflowCode } from "./code-rules.ts";
import { isTest, isTestHelper, reachedFrom, type SourceFile } from "./source.ts";

export interface ImportRule {
  rule: string;
  why: string;
  /** Files that it binds. */
  from(path: string): boolean;
  /** Whether an import of the first by the second is against it. */
  forbids(target: string, from: string): boolean;
  /** `types`: also what only the compiler sees. `run`: what runs, directly. `reach`: what runs, through any number of files. */
  follows: "types" | "run" | "reach";
  /** Path of the importing file to the reason why it may. May only shrink. */
  except?: Readonly<Record<string, string>>;
}

const production = (path: string): boolean => path.startsWith("src/") && !isTest(path) && !isTestHelper(path);
const moduleOf = (path: string): string | undefined => /^src\/modules\/([a-z-]+)\//.exec(path)?.[1];

/** Operations of effect `pure`, which the CLI runs in its own process. */
const pureOperations: ReadonlySet<string> = new Set(["src/modules/vulnerabilities/operations/compare-versions.ts"]);

/** Files of modules that hold no database and no server, so that the CLI and worker threads run them by themselves. */
export function isPurePart(path: string): boolean {
  return /^src\/modules\/software\/(parsers\/|component\.ts$|purl\.ts$|input-error\.ts$|parse-input\.ts$|component-keys\.ts$)/.test(path)
    || /^src\/modules\/vulnerabilities\/((domain|feeds|formats)\/|tasks\.ts$)/.test(path)
    || isWorkflowCode(path) || path.startsWith("src/modules/inventory/collectors/") || pureOperations.has(path);
}

const database = /^(pg|src\/platform\/database\/.*)$/;
const server = /^(fastify|@fastify\/.*|undici|src\/platform\/(http-client|events|operation\/pipeline).*|src\/surfaces\/(http|mcp)\/.*)$/;
const outbound = /^(node:(fs|fs\/promises|http|https|http2|net|tls|dgram|dns|dns\/promises|child_process)|undici|src\/platform\/http-client\/.*)$/;

export const importRules: readonly ImportRule[] = [
  {
    rule: "the platform knows no module, no surface and no app",
    why: "it is what they stand on; a domain word in it would tie every module to that one",
    from: (path) => path.startsWith("src/platform/"),
    forbids: (target) => /^src\/(modules|app|surfaces)\//.test(target), follows: "types",
  },
  {
    rule: "modules know no surface and no app",
    why: "an operation does not know by which door it is called",
    from: (path) => path.startsWith("src/modules/") && production(path),
    forbids: (target) => /^src\/(app|surfaces)\//.test(target), follows: "types",
  },
  {
    rule: "surfaces know no app",
    why: "app/ puts the doors together, not the other way round",
    from: (path) => path.startsWith("src/surfaces/") && production(path),
    forbids: (target) => target.startsWith("src/app/"), follows: "types",
  },
  {
    rule: "a module is entered through its index.ts, or through its pure parts",
    why: "what is not exported there may change without asking anybody; pure parts hold no database or server, which the CLI and worker threads need",
    from: (path) => production(path),
    forbids: (target, from) => {
      const module = moduleOf(target);
      return module !== undefined && module !== moduleOf(from) && target !== `src/modules/${module}/index.ts` && !isPurePart(target);
    },
    follows: "types",
  },
  {
    rule: "parsers, matching and collectors reach no database and no server",
    why: "the CLI and the worker threads run them alone, and the same input gives the same answer everywhere",
    from: (path) => isPurePart(path) && production(path),
    forbids: (target) => database.test(target) || server.test(target) || target.startsWith("src/app/"), follows: "reach",
  },
  {
    rule: "domain rules reach nothing outside at all",
    why: "they are functions of what they are given",
    from: (path) => /^src\/modules\/[a-z-]+\/domain(\/|\.ts$)/.test(path) && production(path),
    forbids: (target) => outbound.test(target) || database.test(target), follows: "reach",
  },
  {
    rule: "workflow code imports descriptors and nothing else",
    why: "it runs in a thread, or a sandbox, where there is no platform; what does something is a step",
    from: (path) => isWorkflowCode(path) && production(path),
    forbids: (target) => target !== "typebox" && target !== "src/platform/workflow/declare.ts" && !isWorkflowCode(target), follows: "types",
  },
  {
    rule: "the CLI never loads the server, the database or the app",
    why: "a command starts in a moment and runs on machines that have neither; also what is imported late counts",
    from: (path) => path.startsWith("src/surfaces/cli/") && production(path),
    forbids: (target) => database.test(target) || server.test(target) || target.startsWith("src/app/"), follows: "reach",
  },
  {
    rule: "operations have no way out",
    why: "handle() runs inside a transaction; what goes outside does so in prepare(), through the ports of its context",
    from: (path) => /^src\/modules\/[a-z-]+\/operations\//.test(path) && production(path),
    forbids: (target) => outbound.test(target) || target === "pg", follows: "run",
  },
  {
    rule: "only the composition root knows which modules there are",
    why: "a new module is added to app/modules.ts and nowhere else",
    from: (path) => production(path),
    forbids: (target, from) => target === "src/app/modules.ts" && !from.startsWith("src/app/"), follows: "types",
  },
  {
    rule: "what is made for tests is used by tests",
    why: "a simulated part must not run in earnest",
    from: (path) => production(path),
    forbids: (target) => isTestHelper(target) || isTest(target) || target === "vitest", follows: "types",
  },
  {
    rule: "PostgreSQL's driver is used by the database port alone",
    why: "every statement goes through one of its three doors, under the right role",
    from: (path) => production(path) && !path.startsWith("src/platform/database/"),
    forbids: (target) => target === "pg", follows: "run",
    except: {
      "src/app/database.ts": "prepares roles and schema before the doors are open",
      "src/platform/workflow/engines/dbos/thread.ts": "the workflow engine has its own tables and connections, in a thread of its own",
      "src/app/schema-golden.ts": "reads the catalogue of a database that serves nobody",
    },
  },
  {
    rule: "what goes out goes through the one HTTP client",
    why: "time limits, retries, size limits and the guard of addresses are there",
    from: (path) => production(path) && !path.startsWith("src/platform/http-client/") && !path.startsWith("src/surfaces/"),
    forbids: (target) => /^(undici|node:(http|https|http2|tls|dgram))$/.test(target), follows: "run",
  },
];

/** Each import that is against the rule, with its place. */
export function violations(rule: ImportRule, files: readonly SourceFile[]): string[] {
  return files.filter((file) => rule.from(file.path) && rule.except?.[file.path] === undefined).flatMap((file) => {
    if (rule.follows === "reach") {
      return [...reachedFrom(file.path, files)].filter(([target]) => target !== file.path && rule.forbids(target, file.path)).map(([, way]) => way.join(" -> "));
    }
    return file.imports.filter(({ target, typeOnly }) => (rule.follows === "types" || !typeOnly) && rule.forbids(target, file.path)).map(({ target, line }) => `${file.path}:${line} imports ${target}`);
  });
}

/** Rings of modules that use each other: `a -> b -> a`. */
export function moduleCycles(files: readonly SourceFile[]): string[] {
  const uses = new Map<string, Set<string>>();
  for (const file of files) {
    const from = moduleOf(file.path);
    if (from === undefined || !production(file.path)) continue;
    for (const { target } of file.imports) {
      const to = moduleOf(target);
      if (to !== undefined && to !== from) (uses.get(from) ?? uses.set(from, new Set()).get(from))?.add(to);
    }
  }
  const rings: string[] = [];
  function follow(way: readonly string[]): void {
    for (const next of uses.get(way.at(-1) ?? "") ?? []) {
      if (next === way[0]) rings.push([...way, next].join(" -> "));
      else if (!way.includes(next)) follow([...way, next]);
    }
  }
  for (const start of uses.keys()) follow([start]);
  return rings;
}
