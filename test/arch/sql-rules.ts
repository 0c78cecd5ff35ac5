import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isTest, isTestHelper, lineOf, root, walk, type SourceFile } from "./source.ts";

export interface Statement {
  path: string;
  line: number;
  /** The text, with `?` for each value or fragment that is put in. */
  text: string;
}

const production = (path: string): boolean => path.startsWith("src/") && !isTest(path) && !isTestHelper(path);

/** The statements of the source: what is tagged `sql`, and other texts that begin like one. */
export function statements(files: readonly SourceFile[]): Statement[] {
  return files.filter(({ path }) => production(path)).flatMap((file) => {
    const found: Statement[] = [];
    walk(file.program, (node) => {
      if (node.type !== "TemplateLiteral" && !(node.type === "Literal" && typeof node["value"] === "string")) return;
      const parts = node.type === "Literal" ? [String(node["value"])] : (node["quasis"] as { value: { cooked?: string } }[]).map(({ value }) => value.cooked ?? "");
      const text = parts.join(" ? ").replaceAll(/--.*$/gm, "");
      if (tagged(file.text, node.start) || /^\s*(select|insert into|update|delete from|with|lock table|create|alter|drop|grant|truncate)\s/i.test(text) && /\s(from|into|set|table|on)\s|^\s*(update|insert)/i.test(text) && /\b[a-z_]+\.[a-z_]+\b/.test(text)) {
        found.push({ path: file.path, line: lineOf(file.text, node.start), text });
      }
    });
    return found;
  });
}

function tagged(text: string, start: number): boolean {
  return /\bsql$/.test(text.slice(Math.max(0, start - 4), start));
}

/** Where statements may stand. */
export const sqlFiles: readonly { pattern: RegExp; why: string }[] = [
  { pattern: /^src\/modules\/[a-z-]+\/([a-z-]+\/)?([a-z-]+-)?(store|views)\.ts$/, why: "a module's only SQL: writes in *store.ts, reads in *views.ts" },
  { pattern: /^src\/platform\/(database|events)\//, why: "the database port and the event log, which owns the schema events" },
  { pattern: /^src\/platform\/workflow\/([a-z]+-)?store\.ts$/, why: "the platform's tables of workflows" },
  { pattern: /^src\/platform\/workflow\/engines\/dbos\/schema\.ts$/, why: "asks how new the engine's own tables are" },
  { pattern: /^src\/platform\/approvals\/(delegation-)?store\.ts$/, why: "the gate's own tables" },
  { pattern: /^src\/platform\/operation\/(idempotency|strangers|usage)\.ts$/, why: "the pipeline's own tables" },
  { pattern: /^src\/app\/(counted-blobs|data-keys|housekeeping|database)\.ts$/, why: "the platform's own tables, and the roles before there is a schema" },
];

/** Which schemas the files of an owner write. A table is written by one owner. */
export function ownerOf(path: string): { name: string; writes: readonly string[] } {
  const module = /^src\/modules\/([a-z-]+)\//.exec(path)?.[1];
  if (module !== undefined) return { name: module, writes: [module.replaceAll("-", "_")] };
  if (path.startsWith("src/platform/events/")) return { name: "events", writes: ["events"] };
  return { name: "platform", writes: ["platform"] };
}

const table = /([a-z_]+)\.([a-z_]+)/.source;

export function writesOf({ text }: Statement): { schema: string; table: string }[] {
  return [...text.matchAll(new RegExp(`\\b(?:insert\\s+into|(?<!for )(?<!do )update|delete\\s+from|merge\\s+into|truncate(?:\\s+table)?|lock\\s+table)\\s+(?:only\\s+)?${table}`, "gi"))]
    .map((match) => ({ schema: String(match[1]).toLowerCase(), table: String(match[2]).toLowerCase() }));
}

export function readsOf({ text }: Statement): { schema: string; table: string }[] {
  return [...text.matchAll(new RegExp(`\\b(?:from|join|using)\\s+(?:only\\s+)?${table}(?!\\s*\\()`, "gi"))]
    .map((match) => ({ schema: String(match[1]).toLowerCase(), table: String(match[2]).toLowerCase() }))
    .filter(({ schema }) => schemas.has(schema)); // `extract(epoch from s.at)` names a column
}

/** The schemas that the migrations make. */
const schemas: ReadonlySet<string> = new Set(["platform", ...readdirSync(join(root, "migrations")).flatMap((name) =>
  [...readFileSync(join(root, "migrations", name), "utf8").matchAll(/^create schema (?:if not exists )?([a-z_]+)/gm)].map((match) => match[1] as string))]);

/** Operators and functions that are not leakproof: under row level security their index is not used. */
export const leaky = /@>|<@|@@|\?\||\?&|\s!?~~?\*?\s|\b(?:i?like|similar\s+to|to_ts(?:vector|query)|plainto_tsquery|websearch_to_tsquery)\b/i;

/** Statements that may use them: `path` and a part of the text, to the reason. May only shrink. */
export const leakyAllowed: readonly { path: string; part: string; why: string }[] = [
  { path: "src/platform/database/schema-dump.ts", part: "from pg_catalog.pg_class c", why: "the catalogue has no row level security" },
];

/** Files outside src/app that open the door without row level security, and why. May only shrink. */
export const systemDoor: Readonly<Record<string, string>> = {
  "src/modules/organizations/deletion/erase-due.ts": "an organization is erased from outside of it",
  "src/modules/organizations/deletion/erase-organization.ts": "removes what no tenant may, the organization itself included",
  "src/modules/organizations/authentication.ts": "who calls is known only after it",
  "src/modules/organizations/external/identify.ts": "who signs in is known only after it",
  "src/modules/organizations/external/settle.ts": "who calls is known only after it, and may be new",
  "src/modules/organizations/first-administrator.ts": "makes the first organization",
  "src/modules/organizations/provider/accounts.ts": "the provider asks about people before they have an organization",
  "src/modules/organizations/provider/adapter.ts": "what the provider keeps belongs to no organization",
  "src/modules/organizations/provider/consents.ts": "an application acts in every organization of the person who allowed it",
  "src/modules/organizations/provider/local-sign-in.ts": "who signs in is known only after it",
  "src/modules/organizations/provider/keys.ts": "the provider's signing keys belong to no organization",
  "src/modules/organizations/provider/sweep.ts": "sweeps what belongs to no organization",
  "src/modules/organizations/use-notes.ts": "notes the use of credentials of all organizations at once",
  "src/modules/notifications/waiting.ts": "counts what waits of all organizations, for the metrics",
  "src/modules/vulnerabilities/subscriptions.ts": "a new feed concerns the component sets of every organization",
  "src/platform/cache/follow-changes.ts": "each server follows the changes of all organizations",
  "src/platform/operation/strangers.ts": "unknown callers belong to no organization",
  "src/platform/operation/staging.ts": "for operations that declare it, which docs/reference/exceptions.md lists",
  "src/platform/operation/pipeline.ts": "for operations that declare it, which docs/reference/exceptions.md lists",
  "src/platform/events/sealer.ts": "one sealer orders the events of all",
  "src/platform/events/subscriptions.ts": "a subscription reads the log of all",
  "src/platform/events/dead-letters.ts": "as subscriptions.ts, of which it is a part",
  "src/platform/events/projections.ts": "a projection folds the log of all",
  "src/platform/events/build-projection.ts": "as projections.ts, of which it is a part",
  "src/platform/events/whole-positions.ts": "reads the log of all, and its files",
  "src/platform/events/verify.ts": "rebuilds the chain also where a tenant's transaction would see less",
  "src/platform/events/walk.ts": "as verify.ts, of which it is a part",
  "src/platform/events/partitions.ts": "a partition holds the events of all",
  "src/platform/events/export-month.ts": "writes the files of all from one partition",
  "src/platform/events/retention.ts": "sweeps the parked events of all",
  "src/platform/events/retire.ts": "takes a partition out of the log of all",
  "src/platform/events/wait.ts": "asks for the state of an event by its id",
  "src/platform/events/follow.ts": "readers follow the log of all",
  "src/platform/events/live.ts": "one reader for all who listen on a server, whatever their organization",
  "src/platform/events/bus/postgres/store.ts": "consumers of the bus read the log of all",
  "src/platform/events/closing.ts": "looks at the chain of an organization that is about to go",
  "src/platform/events/checkpoints.ts": "signs the chains of all",
  "src/platform/events/line.ts": "LISTEN and the sealer's lock need a connection of their own",
  "src/platform/workflow/dispatch.ts": "hands the runs and messages of all to the engine",
  "src/platform/workflow/schedules.ts": "starts what is due of all",
  "src/platform/workflow/run-step.ts": "for steps that declare it",
  "src/platform/database/instance.ts": "the lock by which a server shows that it is alive needs one too",
  "src/app/counted-blobs.ts": "counts what is stored for any organization, also by the system",
  "src/app/data-keys.ts": "no tenant's transaction may read a data key",
  "src/app/pages.ts": "names in the header of a page whoever its session stands for, before any operation is called",
  "src/app/projections.ts": "asks for the metrics how far they are",
  "src/app/rewrap.ts": "moves the envelopes of all to another key",
  "src/app/housekeeping.ts": "sweeps what no tenant owns any more",
};

/** The doors to the database that row level security does not bind. */
const unbound: ReadonlySet<string> = new Set(["system", "lookup", "direct"]);

interface Named {
  name?: string;
  property?: { name?: string };
}

function isDatabase(node: Named | undefined): boolean {
  return node?.name === "database" || node?.property?.name === "database";
}

export function systemDoorUsers(files: readonly SourceFile[]): string[] {
  const users = new Set<string>();
  for (const file of files.filter(({ path }) => production(path) && path !== "src/platform/database/database.ts")) {
    walk(file.program, (node) => {
      if (node.type === "MemberExpression") {
        const { property, object } = node as unknown as { property?: { name?: string }; object?: Named };
        if (unbound.has(property?.name ?? "") && isDatabase(object)) users.add(file.path);
      }
      if (node.type === "VariableDeclarator") {
        const { id, init } = node as unknown as { id: { type: string; properties?: { key?: { name?: string } }[] }; init: Named | null };
        if (isDatabase(init ?? undefined) && id.properties?.some(({ key }) => unbound.has(key?.name ?? "")) === true) users.add(file.path);
      }
    });
  }
  return [...users];
}
