import { withoutIds } from "../json-schema.ts";
import { sourceOf } from "./cloud-event.ts";
import type { EventType } from "./declare.ts";

type Json = Record<string, unknown>;

const word = { type: "string", minLength: 1 };

/** JSON Schema of what every event has: the attributes of CloudEvents 1.0 and the platform's own beside them. */
export const attributesSchema: Json = {
  type: "object",
  description: "An event as CloudEvents 1.0 in JSON; further attributes may come",
  required: ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data", "orgid", "actor", "operation", "requestid", "door", "ai", "stream", "version"],
  properties: {
    specversion: { const: "1.0" },
    id: { type: "string", format: "uuid", description: "UUIDv7; the same where the event comes again" },
    source: { type: "string", pattern: "^urn:qinfra:[a-z][a-z-]*$", description: "Part of the platform" },
    type: { type: "string", pattern: "^[a-z][a-z-]*\\.[a-z][a-z-]*$", description: "What happened" },
    subject: { ...word, description: "TypeID of what it happened to" },
    time: { type: "string", format: "date-time", description: "RFC 3339, UTC" },
    datacontenttype: { const: "application/json" },
    data: { type: "object", description: "What else there is to say, by type" },
    orgid: { type: "string", format: "uuid", description: "Organization in whose log it is" },
    actor: { ...word, description: "TypeID of the user or key that acted, or system" },
    operation: { ...word, description: "Operation, subscription or step that appended it" },
    requestid: { ...word, description: "Request that it came of" },
    door: { ...word, description: "By which the actor came: http, cli, mcp, browser, subscription, workflow or system" },
    ai: { type: "boolean", description: "An AI agent acted" },
    privatehash: { type: "string", pattern: "^[0-9a-f]{64}$", description: "Keyed hash of what it says about a person, which lies apart" },
    stream: { ...word, description: "Events of one stream come in order; mostly the subject" },
    version: { type: "integer", minimum: 1, description: "Number in its stream, from 1 without gaps" },
  },
};

/** JSON Schema of the data of that type, open to members that are added later. */
export function dataSchemaOf({ summary, data }: EventType): Json {
  return { description: summary, ...(withoutIds(data) as Json) };
}

/** JSON Schema of a whole event of that type. */
export function eventSchemaOf(type: EventType): Json {
  const { properties } = attributesSchema as { properties: Json };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema", title: type.type, ...attributesSchema, description: type.summary,
    properties: { ...properties, source: { const: sourceOf(type.type) }, type: { const: type.type }, data: dataSchemaOf(type) },
  };
}
