import type { FastifyInstance } from "fastify";
import { ScanReport } from "../modules/vulnerabilities/index.ts";
import { withoutIds } from "../platform/json-schema.ts";

/** JSON Schemas of what people keep in files, by the path under which the platform publishes them. */
export const publishedSchemas: readonly { path: string; schema: Record<string, unknown> }[] = [
  { path: "schemas/scan-1.schema.json", schema: published("qinfra.scan/1", ScanReport) },
];

function published(title: string, schema: object): Record<string, unknown> {
  return { $schema: "https://json-schema.org/draft/2020-12/schema", title, ...(withoutIds(schema) as Record<string, unknown>) };
}

export function mountSchemas(server: FastifyInstance): void {
  for (const { path, schema } of publishedSchemas) {
    server.get(`/${path}`, async (_request, reply) => reply.type("application/schema+json; charset=utf-8").send(JSON.stringify(schema)));
  }
}
