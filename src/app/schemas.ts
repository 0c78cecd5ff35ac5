import type { FastifyInstance } from "fastify";
import { ScanReport } from "../modules/vulnerabilities/index.ts";

/** JSON Schemas of what people keep in files, by the path under which the platform publishes them. */
export const publishedSchemas: readonly { path: string; schema: Record<string, unknown> }[] = [
  { path: "schemas/scan-1.schema.json", schema: published("qinfra.scan/1", ScanReport) },
];

function published(title: string, schema: object): Record<string, unknown> {
  return { $schema: "https://json-schema.org/draft/2020-12/schema", title, ...(withoutIds(schema) as Record<string, unknown>) };
}

/** Nested ids name types of the source; the same id at several places of one document would be an error there. */
export function withoutIds(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutIds);
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(Object.entries(schema).filter(([key, value]) => key !== "$id" || typeof value !== "string").map(([key, value]) => [key, withoutIds(value)]));
}

export function mountSchemas(server: FastifyInstance): void {
  for (const { path, schema } of publishedSchemas) {
    server.get(`/${path}`, async (_request, reply) => reply.type("application/schema+json; charset=utf-8").send(JSON.stringify(schema)));
  }
}
