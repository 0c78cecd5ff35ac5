import type { TSchema } from "typebox";
import { pipelineErrors, type ErrorType } from "../../platform/errors.ts";
import { ApprovalPending, approversOf, whyNotApprovable, type Operation } from "../../platform/operation/index.ts";
import { hasDoor, placeOf, routeOf, type Registry } from "../../platform/operation/registry.ts";

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of all operations that have the HTTP door. */
export function toOpenApi(registry: Registry, version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of registry.operations) {
    if (!hasDoor(operation, "http")) continue;
    const { method, path } = routeOf(operation);
    (paths[path] ??= {})[method.toLowerCase()] = describe(operation);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "QL-RF, the QuantumLayer Resilience Fabric", version,
      description: "Every capability of the platform is one operation; this document, the CLI and the MCP tools are derived from the same declarations.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ bearer: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "An API key, a session token of `qinfra login`, or a JWT of a configured issuer" },
        session: { type: "apiKey", in: "cookie", name: "qinfra", description: "The browser's session; changes need the CSRF token too" },
      },
      schemas: { Problem: problemSchema, ApprovalPending },
    },
  };
}

const problemSchema = {
  type: "object",
  description: "Problem details, RFC 9457",
  required: ["type", "title", "status", "code", "detail"],
  properties: {
    type: { type: "string" }, title: { type: "string" }, status: { type: "integer" }, code: { type: "string" },
    detail: { type: "string" }, requestId: { type: "string" }, data: { type: "object", additionalProperties: true },
  },
};

function describe(operation: Operation): Json {
  const properties = operation.input.properties as Record<string, TSchema & { description?: string }>;
  const required = new Set((operation.input as { required?: string[] }).required ?? []);
  const fields = Object.keys(properties);
  const inBody = fields.filter((field) => placeOf(operation, field) === "body");
  const parameters: Json[] = fields.filter((field) => placeOf(operation, field) !== "body").map((field) => {
    const place = placeOf(operation, field);
    const { description, ...schema } = properties[field] as TSchema & { description?: string };
    return {
      name: field, in: place, required: place === "path" || required.has(field), schema,
      ...(description === undefined ? {} : { description }),
      // Lists are sent as a repeated parameter.
      ...((schema as { type?: string }).type === "array" ? { style: "form", explode: true } : {}),
    };
  });
  if (operation.stream !== undefined) parameters.push(lastEventId);
  if ((operation.effect === "change" || operation.effect === "destructive") && operation.body === undefined) parameters.push(idempotencyKey);
  const success = operation.creates === true ? "201" : "200";
  return {
    operationId: operation.id,
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    tags: [operation.id.slice(0, operation.id.indexOf("."))],
    ...(operation.permission === "public" ? { security: [] } : {}),
    "x-permission": operation.permission,
    "x-effect": operation.effect,
    ...(whyNotApprovable(operation) === undefined ? { "x-approvers": approversOf(operation) } : {}),
    ...(operation.confirm === undefined ? {} : { "x-confirm": operation.confirm }),
    ...(operation.deprecated === undefined ? {} : { deprecated: true, "x-sunset": operation.deprecated.sunset }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBody(operation, inBody, properties, required),
    responses: { [success]: { description: operation.summary, content: { "application/json": { schema: operation.output }, ...eventStream(operation) } }, ...waits(operation), ...notModified(operation), ...problems(operation) },
  };
}

/** What a policy may want people to approve first. */
function waits(operation: Operation): Json {
  if (whyNotApprovable(operation) !== undefined) return {};
  return { "202": { description: "It waits for people to approve it; nothing has been changed", content: { "application/json": { schema: { $ref: "#/components/schemas/ApprovalPending" } } } } };
}

function notModified(operation: Operation): Json {
  if (routeOf(operation).method !== "GET") return {};
  return { "304": { description: "The answer is the one that `If-None-Match` names by its entity tag" } };
}

/** The events of a stream; its item schema is that of `data`, which is JSON. */
function eventStream({ stream }: Operation): Json {
  return stream === undefined ? {} : { "text/event-stream": { schema: { type: "string", contentMediaType: "application/json", contentSchema: stream.event, description: "`data` of each server-sent event" } } };
}

const lastEventId = {
  name: "Last-Event-ID", in: "header", required: false, schema: { type: "string", minLength: 1, maxLength: 200, pattern: "^[\\x21-\\x7e]+$" },
  description: "The id of the last event that was received; the stream goes on after it. Counts before `after`",
};

const idempotencyKey = {
  name: "Idempotency-Key", in: "header", required: false, schema: { type: "string", minLength: 1, maxLength: 200, pattern: "^[\\x21-\\x7e]+$" },
  description: "Repeating a request with the same key and input answers the first answer again",
};

function requestBody(operation: Operation, inBody: string[], properties: Record<string, TSchema>, required: Set<string>): Json {
  if (operation.body !== undefined) {
    const content = Object.fromEntries(operation.body.contentTypes.map((type) => [type, { schema: { type: "string", description: operation.body?.description } }]));
    return { requestBody: { required: true, content } };
  }
  if (inBody.length === 0) return {};
  const needed = inBody.filter((field) => required.has(field));
  const schema = {
    type: "object", additionalProperties: false,
    properties: Object.fromEntries(inBody.map((field) => [field, properties[field]])),
    ...(needed.length === 0 ? {} : { required: needed }),
  };
  const examples = Object.fromEntries(operation.examples.map((example, i) => [`example${i + 1}`, {
    ...(example.summary === undefined ? {} : { summary: example.summary }),
    value: Object.fromEntries(Object.entries(example.input).filter(([field]) => inBody.includes(field))),
  }]));
  return { requestBody: { required: needed.length > 0, content: { "application/json": { schema, examples } } } };
}

function problems(operation: Operation): Json {
  const byStatus = new Map<number, ErrorType[]>();
  for (const error of [...pipelineErrors, ...(operation.errors ?? [])]) byStatus.set(error.status, [...(byStatus.get(error.status) ?? []), error]);
  return Object.fromEntries([...byStatus].sort(([a], [b]) => a - b).map(([status, errors]) => [String(status), {
    description: [...new Set(errors.map((error) => `${error.code}: ${error.title}`))].join("; "),
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  }]));
}
