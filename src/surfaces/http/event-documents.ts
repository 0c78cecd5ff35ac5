import type { FastifyInstance } from "fastify";
import { toAsyncApi } from "../../platform/events/asyncapi.ts";
import { eventSchemaOf } from "../../platform/events/event-schema.ts";
import type { Registry } from "../../platform/operation/registry.ts";

/** `/asyncapi.json`, and the JSON Schema of each type of event under `/schemas/events/<type>.schema.json`. */
export function mountEventDocuments(server: FastifyInstance, registry: Registry, version: string): void {
  const document = toAsyncApi(registry.events, version);
  server.get("/asyncapi.json", async (_request, reply) => reply.header("cache-control", "no-cache").send(document));
  for (const type of registry.events.values()) {
    const schema = JSON.stringify(eventSchemaOf(type));
    server.get(`/schemas/events/${type.type}.schema.json`, async (_request, reply) => reply.type("application/schema+json; charset=utf-8").send(schema));
  }
}
