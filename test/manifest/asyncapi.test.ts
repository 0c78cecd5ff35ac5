import { createRequire } from "node:module";
import { Ajv } from "ajv";
import ajvFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { modules } from "../../src/app/modules.ts";
import { schemasIn, toAsyncApi } from "../../src/platform/events/asyncapi.ts";
import { eventSchemaOf } from "../../src/platform/events/event-schema.ts";
import { cloudEventOf } from "../../src/platform/events/cloud-event.ts";
import { allTopics, topicsOf } from "../../src/platform/events/relay.ts";
import { createRegistry } from "../../src/platform/operation/registry.ts";

const { events } = createRegistry(modules);
const document = JSON.parse(JSON.stringify(toAsyncApi(events, "1.2.3"))) as Document;
const specification = createRequire(import.meta.url)("@asyncapi/specs/schemas/3.0.0-without-$id.json") as object;

interface Document {
  channels: Record<string, { address: string; messages: Record<string, { $ref: string }>; servers: { $ref: string }[] }>;
  operations: Record<string, { action: string; channel: { $ref: string } }>;
  components: { messages: Record<string, { payload: object; "x-permission": string }>; schemas: Record<string, object> };
}

const event = cloudEventOf({
  id: "01a20074-1de6-70c2-96ea-e407aa20b019", orgId: "01a20074-1de6-70c2-96ea-e407aa20b018", position: 7, type: "images.tagged", subject: "img_01jd0000000000000000000000", stream: "img_01jd0000000000000000000000",
  version: 3, time: "2026-11-21T12:00:00.000Z", actor: "usr_01jd0000000000000000000000", operation: "images.set-tags", requestId: "req_1", door: "http", ai: false, data: { count: 2 },
});

describe("asyncapi.json", () => {
  it("is an AsyncAPI 3.0 document by the specification's own schema", () => {
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    const valid = ajv.compile(specification);
    valid(document);
    expect(valid.errors ?? []).toEqual([]);
    expect(valid({ ...document, channels: { ...document.channels, "x.y": { adress: "x" } } })).toBe(false);
  });

  it("points at nothing that is not there", () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] as string);
    expect(refs.length).toBeGreaterThan(events.size);
    expect(refs.filter((ref) => at(ref) === undefined)).toEqual([]);
  });

  it("has a channel for each topic and broker, with the types that go there", () => {
    expect(Object.keys(document.channels).sort()).toEqual(allTopics.flatMap(({ topic }) => [`kafka.${topic}`, `nats.${topic}`]).sort());
    for (const broker of ["kafka", "nats"]) {
      expect(Object.keys(document.channels[`${broker}.audit.events`]?.messages ?? {}).sort()).toEqual([...events.keys()].sort());
      for (const type of events.keys()) {
        expect(allTopics.filter(({ topic }) => document.channels[`${broker}.${topic}`]?.messages[type] !== undefined).map(({ topic }) => topic)).toEqual(topicsOf(type));
      }
    }
    expect([document.channels["kafka.asset.changes"]?.address, document.channels["nats.asset.changes"]?.address]).toEqual(["qinfra.asset.changes", "qinfra.asset%2Echanges.{shard}"]);
  });

  it("has the topics of the reference", () => {
    expect(allTopics.map(({ topic }) => topic)).toEqual(expect.arrayContaining(["asset.changes", "drift.detected", "task.status", "audit.events"]));
  });

  it("says of each message what it holds, and of the platform that it sends it", () => {
    expect(Object.keys(document.components.messages).sort()).toEqual([...events.keys()].sort());
    expect(Object.keys(schemasIn(document)).sort()).toEqual([...events.keys()].sort());
    expect(new Set(Object.values(document.operations).map(({ action }) => action))).toEqual(new Set(["send"]));
  });

  it.each([
    ["as it was appended", event, true],
    ["with a member and an attribute that came later", { ...event, data: { count: 2, more: true }, traceparent: "00" }, true],
    ["of another type", { ...event, type: "images.deleted" }, false],
    ["with other data", { ...event, data: { count: "2" } }, false],
    ["without an id", { ...event, id: undefined }, false],
  ])("takes or refuses an event %s", (_what, value, valid) => {
    const ajv = new Ajv({ strict: false });
    ajvFormats.default(ajv);
    ajv.addSchema({ $id: "doc", components: document.components });
    const plain: unknown = JSON.parse(JSON.stringify(value));
    expect(ajv.validate({ $ref: "doc#/components/messages/images.tagged/payload" }, plain)).toBe(valid);
    const { $schema, ...alone } = eventSchemaOf(events.get("images.tagged") ?? expect.fail("there is no such type"));
    expect([$schema, ajv.validate(alone, plain)]).toEqual(["https://json-schema.org/draft/2020-12/schema", valid]);
  });

  it.each([...events.keys()])("has a schema of %s that a validator can use", (type) => {
    const ajv = new Ajv({ strict: false });
    ajvFormats.default(ajv);
    const { $schema: _, ...schema } = eventSchemaOf(events.get(type) ?? expect.fail("there is no such type"));
    expect(ajv.validateSchema(schema)).toBe(true);
    expect(() => ajv.compile(schema)).not.toThrow();
  });
});

function at(ref: string): unknown {
  return ref.slice(2).split("/").reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);
}
