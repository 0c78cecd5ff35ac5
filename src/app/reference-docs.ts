import type { TObject } from "typebox";
import { allTopics, topicsOf } from "../platform/events/relay.ts";
import { hasDoor, mcpName, type Registry } from "../platform/operation/registry.ts";
import type { Door, Operation } from "../platform/operation/index.ts";
import { permissionsOf, roles } from "../modules/organizations/index.ts";
import { grants } from "../platform/actor.ts";

const doors: readonly Door[] = ["http", "cli", "mcp"];
const generated = "<!-- Written from the operations by `qinfra goldens --write`; edit those instead. -->";

/** The pages of docs/reference that are derived from the operations. */
export function referenceDocs(registry: Registry): { path: string; text: string }[] {
  const operations = [...registry.operations].sort((a, b) => (a.id < b.id ? -1 : 1));
  return [
    { path: "docs/reference/operations.md", text: operationsPage(operations) },
    { path: "docs/reference/roles.md", text: rolesPage(operations) },
    { path: "docs/reference/exceptions.md", text: exceptionsPage(operations) },
    { path: "docs/reference/workflows.md", text: workflowsPage(registry) },
    { path: "docs/reference/events.md", text: eventsPage(registry) },
  ];
}

function operationsPage(operations: readonly Operation[]): string {
  const rows = operations.map((operation) => [
    code(operation.id), operation.summary, code(operation.http),
    hasDoor(operation, "cli") ? code(`qinfra ${operation.cli?.name ?? operation.id.replaceAll(".", " ")}`) : "",
    hasDoor(operation, "mcp") ? code(mcpName(operation)) : "",
    code(operation.permission), operation.effect,
  ]);
  return page("Operations", [
    "Every capability of the platform, with its doors. An empty cell means that the operation is not offered there; [exceptions.md](exceptions.md) says why.",
    table(["operation", "what it does", "HTTP", "CLI", "MCP tool", "permission", "effect"], rows),
  ]);
}

/** What each column may do; `platform` is an administrator of the platform organization. */
export const roleColumns: readonly { title: string; permissions: readonly string[]; platform: boolean }[] = [
  { title: "platform admin", permissions: permissionsOf("admin", true), platform: true },
  ...roles.map((role) => ({ title: role, permissions: permissionsOf(role, false), platform: false })),
];

function rolesPage(operations: readonly Operation[]): string {
  const rows = operations.map((operation) => [code(operation.id), code(operation.permission), ...roleColumns.map((column) => (may(operation, column) ? "yes" : "-"))]);
  return page("Roles", [
    "Which role may call which operation. `public` is everybody, `self` everybody who is signed in. Permissions of the area `platform` are only for administrators of the platform organization; its other roles may do what the same roles may elsewhere.",
    table(["operation", "permission", ...roleColumns.map(({ title }) => title)], rows),
  ]);
}

function may({ permission }: Operation, { permissions, platform }: (typeof roleColumns)[number]): boolean {
  if (permission === "public" || permission === "self") return true;
  if (permission.startsWith("platform:") && !platform) return false;
  return grants(permissions, permission);
}

function eventsPage({ events }: Registry): string {
  const sorted = [...events.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
  const topicRows = allTopics.map(({ topic, summary, prefix }) => [code(topic), summary, prefix === "" ? "all" : code(`${prefix}*`)]);
  const rows = sorted.map((type) => [code(type.type), type.summary, code(type.permission), topicsOf(type.type).map(code).join(", "), Object.keys(type.data.properties).map(code).join(", ")]);
  return page("Events", [
    "Every change appends one, as CloudEvents 1.0, in the transaction of the change; the audit log is a view of them. [asyncapi.json](../../asyncapi.json) describes them for programs, and a server answers the same under `/asyncapi.json` and the JSON Schema of each under `/schemas/events/<type>.schema.json`. Somebody sees an event live who holds its permission; reading the whole log needs `audit:read`.",
    "Data holds ids, numbers and enumerated values; names are looked up when they are shown. Members, values of an enumeration and types may be added, and limits may widen: a reader passes over what it does not know. Nothing is taken away or changes its meaning, which `npm run check` holds against the last release.",
    "## Topics", table(["topic", "carries", "types"], topicRows),
    "## Types", table(["type", "what happened", "permission", "topics", "data"], rows),
    ...sorted.filter(({ data }) => Object.keys(data.properties).length > 0).flatMap(({ type, data }) => [`### ${type}`, table(["member", "what it is", "present"], membersOf(data))]),
  ]);
}

function membersOf(data: TObject): string[][] {
  const required = new Set((data as { required?: string[] }).required ?? []);
  return Object.entries(data.properties as Record<string, { description?: string }>).map(([name, { description }]) => [code(name), description ?? "", required.has(name) ? "always" : "where it applies"]);
}

function workflowsPage({ workflows, steps }: Registry): string {
  const sorted = [...workflows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const rows = sorted.map(({ id, summary, permission, signals, atOnce }) => [code(id), summary, code(permission), signals.map(({ name }) => code(name)).join(", "), atOnce === undefined ? "" : String(atOnce)]);
  const stepRows = steps.map(({ ref: { id, summary, retry, timeoutSeconds } }) => [code(id), summary, String(retry.attempts), `${retry.firstSeconds} s to ${retry.mostSeconds} s`, `${timeoutSeconds} s`]).sort();
  return page("Workflows", [
    "What runs for long and survives restarts. Start one with `qinfra workflows start`, or by itself with `qinfra schedules create`; both need `workflows:write` and the permission of the workflow.",
    table(["workflow", "what it does", "permission", "waits for", "at once"], rows),
    "## Steps", table(["step", "what it does", "attempts", "wait between them", "limit of one"], stepRows),
  ]);
}

function exceptionsPage(operations: readonly Operation[]): string {
  const open = (permission: string) => operations.filter((operation) => operation.permission === permission).map((operation) => [code(operation.id), operation.reason ?? ""]);
  const closed = operations.flatMap((operation) => doors.filter((door) => !hasDoor(operation, door)).map((door) => [code(operation.id), door, operation.without?.[door] ?? ""]));
  const system = operations.filter(({ database }) => database === "system").map((operation) => [code(operation.id), code(operation.permission)]);
  return page("Exceptions", [
    "Operations that differ from the rest, each with its reason. The lists may only shrink.",
    "## For everybody, without signing in", table(["operation", "why"], open("public")),
    "## For everybody who is signed in, whatever their role", table(["operation", "why"], open("self")),
    "## Not at every door", table(["operation", "not at", "why"], closed),
    "## Outside row level security", "These work before or across organizations, in the database role that row level security does not bind.",
    table(["operation", "permission"], system),
  ]);
}

function page(title: string, parts: readonly string[]): string {
  return `${[`# ${title}`, generated, ...parts].join("\n\n")}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "None.";
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`).join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}
