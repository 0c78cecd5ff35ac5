import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ErrorType } from "../../../platform/errors.ts";
import { pipelineErrors } from "../../../platform/errors.ts";
import type { Door, Operation } from "../../../platform/operation/operation.ts";
import { hasDoor, mcpName, placeOf, routeOf, type Registry } from "../../../platform/operation/registry.ts";
import { curlCommand } from "./curl.ts";
import { html, nothing, type Html } from "./html.ts";
import { page, type PageSpec } from "./layout.ts";
import { chip, inside, panel, prose, table } from "./parts.ts";
import type { PagePorts } from "./ports.ts";
import { limitsOf, typeText, type Schema } from "./schema-text.ts";
import { visitorOf } from "./visitor.ts";

/** GET /docs and /docs/roles: open to everybody, as the document that they come from is. */
export function mountReference(scope: FastifyInstance, ports: PagePorts): void {
  const { version } = ports;

  function mount(path: string, spec: Pick<PageSpec, "title" | "body" | "current">): void {
    const forNobody = document(page({ ...spec, version }));
    scope.get(path, async (request, reply) => {
      const who = await visitorOf(ports, request, reply).who();
      return sendDocument(request, reply, who === undefined ? forNobody : document(page({ ...spec, who, version })));
    });
  }

  mount("/docs", { title: "API reference", body: referenceBody(ports), current: "reference" });
  mount("/docs/roles", { title: "Roles", body: rolesBody(ports), current: "roles" });
}

interface Document {
  text: string;
  etag: string;
}

function document(text: string): Document {
  return { text, etag: `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"` };
}

/** The header names the visitor, so that only their browser keeps it, and asks each time. */
function sendDocument(request: FastifyRequest, reply: FastifyReply, { text, etag }: Document): FastifyReply {
  void reply.headers({ etag, "cache-control": "private, no-cache", vary: "cookie" });
  if (request.headers["if-none-match"] === etag) return reply.code(304).send();
  return reply.type("text/html; charset=utf-8").send(text);
}

function moduleOf(operation: Operation): string {
  return operation.id.slice(0, operation.id.indexOf("."));
}

function byModule(registry: Registry): [string, Operation[]][] {
  return [...Map.groupBy(registry.operations.filter((operation) => hasDoor(operation, "http")), moduleOf)].sort(([a], [b]) => (a < b ? -1 : 1));
}

export function referenceBody(ports: Pick<PagePorts, "registry" | "commandLine">): Html {
  const modules = byModule(ports.registry);
  return html`<div class="title"><h1>API reference</h1><p class="muted">${modules.reduce((sum, [, operations]) => sum + operations.length, 0)} operations. The same as a document: <a href="/openapi.json">OpenAPI 3.1</a></p></div>
<div class="reference"><nav class="toc" aria-label="Operations"><ul>${modules.map(([module, operations]) => html`<li><a href="#${module}">${module}</a><ul>${operations.map(({ id }) => html`<li><a href="#${id}">${id.slice(module.length + 1)}</a></li>`)}</ul></li>
`)}</ul></nav>
<div>${introduction}${modules.map(([module, operations]) => html`<section class="module" aria-labelledby="${module}"><h2 id="${module}">${module}</h2>${operations.map((operation) => operationPanel(operation, ports.commandLine))}</section>
`)}</div></div>`;
}

const introduction = panel("How to call it", inside(html`<p>Each operation is one capability: the HTTP interface, the command line and the MCP tools are derived from the same declaration. Send an API key, the token of <code>qinfra login</code> or a JWT of a configured issuer as <code>Authorization: Bearer</code>; bodies are JSON. Whoever belongs to several organizations names one in <code>Qinfra-Organization</code>.</p>
<p>Lists answer <code>items</code> and, while there is more, <code>next</code>, which is the <code>cursor</code> of the next call. Changes take an <code>Idempotency-Key</code>: the same key and input answer the first answer again. With <code>Accept: application/x-ndjson</code> long work reports its progress, one JSON value a line.</p>
<p>What is refused answers <code>application/problem+json</code> (RFC 9457) with a stable <code>code</code>. Any operation may answer:</p>
${errorList(pipelineErrors)}`), { id: "calling" });

function errorList(errors: readonly ErrorType[]): Html {
  const byStatus = [...errors].sort((a, b) => a.status - b.status);
  return html`<ul class="codes small">${byStatus.map(({ status, code, title }) => html`<li title="${title}"><span class="number muted">${status}</span> <code>${code}</code></li>`)}</ul>`;
}

const effects: Readonly<Record<string, Html>> = {
  pure: chip("plain", "pure"), read: chip("plain", "read"), change: chip("info", "change"), destructive: chip("bad", "destructive"),
};

function operationPanel(operation: Operation, commandLine: PagePorts["commandLine"]): Html {
  const { method, path } = routeOf(operation);
  return html`<section class="panel operation" aria-labelledby="${operation.id}"><header>
<h3 id="${operation.id}"><span class="method ${method}">${method}</span><a href="#${operation.id}">${path}</a></h3>
<p class="summary">${operation.summary}</p></header><div class="inside">
${operation.description === undefined ? null : html`<p>${prose(operation.description)}</p>`}
<p class="chips"><code>${operation.id}</code> ${effects[operation.effect] ?? nothing}${chip("plain", permissionText(operation))}</p>
${operation.reason === undefined ? null : html`<p class="muted small">${operation.permission === "public" ? "Public" : "For any signed-in caller"}, because ${prose(operation.reason)}.</p>`}
${doorsOf(operation)}
${fieldTable("Input", operation.input as Schema, (field) => placeOf(operation, field))}
${operation.body === undefined ? null : html`<h4>Body</h4><p>${prose(operation.body.description)}: <code>${operation.body.contentTypes.join(", ")}</code></p>`}
${(operation.errors ?? []).length === 0 ? null : html`<h4>Errors of its own</h4>${table("Errors", ["Code", "Status", "Meaning"], (operation.errors ?? []).map(({ code, status, title }) => [html`<code>${code}</code>`, status, title]))}`}
${operation.examples.map((example) => exampleOf(operation, example, commandLine))}
<details><summary>Answer, ${operation.creates === true ? 201 : 200}</summary>${fieldTable("", operation.output as Schema)}</details>
</div></section>
`;
}

function permissionText({ permission }: Operation): string {
  if (permission === "public") return "public";
  return permission === "self" ? "any signed-in caller" : permission;
}

const doorNames: Readonly<Record<Door, string>> = { http: "HTTP", cli: "command line", mcp: "MCP" };

function doorsOf(operation: Operation): Html {
  const open = (["http", "cli", "mcp"] as const).filter((door) => hasDoor(operation, door));
  const names = open.map((door) => (door === "mcp" ? html`MCP tool <code>${mcpName(operation)}</code>` : html`${doorNames[door]}`));
  return html`<p class="small muted">By ${names.map((name, i) => html`${i === 0 ? "" : i === names.length - 1 ? " and " : ", "}${name}`)}.
${Object.entries(operation.without ?? {}).map(([door, reason]) => html`Not by ${doorNames[door as Door]}: ${prose(reason)}. `)}</p>`;
}

function fieldTable(title: string, schema: Schema, placeOfField?: (field: string) => string): Html {
  const heading = title === "" ? nothing : html`<h4>${title}</h4>`;
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) return title === "" ? html`<p><code>${typeText(schema)}</code> ${prose(schema.description)}</p>` : nothing;
  const columns = ["Name", ...(placeOfField === undefined ? [] : ["In"]), "Type", "About"];
  return html`${heading}${table(title === "" ? "Answer" : title, columns, fields.map(([name, field]) => [
    html`<code>${name}</code>${schema.required?.includes(name) === true && placeOfField !== undefined ? html` <span class="muted small">required</span>` : null}`,
    ...(placeOfField === undefined ? [] : [placeOfField(name)]),
    html`<code>${typeText(field)}</code>`,
    html`${prose(field.description ?? field.items?.description)}${limitsOf(field).length === 0 ? null : html` <span class="muted small">${limitsOf(field).join(", ")}</span>`}${innerFields(field)}`,
  ]))}`;
}

/** One level of what a field holds, by name. */
function innerFields(schema: Schema): Html {
  const inner = Object.keys(schema.properties ?? schema.items?.properties ?? {});
  return inner.length === 0 ? nothing : html`<div class="small muted">with ${inner.map((name, i) => html`${i === 0 ? "" : ", "}<code>${name}</code>`)}</div>`;
}

function exampleOf(operation: Operation, example: Operation["examples"][number], commandLine: PagePorts["commandLine"]): Html {
  const command = commandLine(operation.id, example.input);
  return html`<h4>Example${example.summary === undefined ? null : html`: ${example.summary}`}</h4>
<pre><code>${curlCommand(operation, example.input)}</code></pre>
${command === undefined ? null : html`<pre><code>${command}</code></pre>`}`;
}

export function rolesBody({ roles, roleTable }: Pick<PagePorts, "roles" | "roleTable">): Html {
  return html`<div class="title"><h1>Roles</h1><p class="muted">Which role may do what, from the permissions that the operations ask for</p></div>
${panel("Permissions by role", table("Permissions by role", ["Permission", ...roles], roleTable.map((row) => [
    html`<code>${row.permission}</code>${row.platformOnly ? html` <span class="muted small">platform organization only</span>` : null}`,
    ...roles.map((role) => (row.roles.includes(role) ? chip("ok", "yes") : html`<span class="muted">no</span>`)),
  ])), { id: "permissions" })}
<p class="muted">A person has one role in each organization. An API key can do no more than the person who made it. What a policy refuses, no role allows.</p>`;
}
