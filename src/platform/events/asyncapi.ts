import { eventsTopic } from "./bus/kafka/names.ts";
import { subjectTemplate } from "./bus/nats/names.ts";
import { attributesSchema, dataSchemaOf } from "./event-schema.ts";
import type { EventType } from "./declare.ts";
import { allTopics, topicsOf, type TopicSpec } from "./relay.ts";

type Json = Record<string, unknown>;

const shared = "CloudEvent";

/**
 * The AsyncAPI 3.0 document of what the platform sends to the bus of EVENTS_URL: a channel each topic and broker, a
 * message each type of event. https://www.asyncapi.com/docs/reference/specification/v3.0.0
 */
export function toAsyncApi(types: ReadonlyMap<string, EventType>, version: string): Json {
  const sorted = [...types.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
  const channels = allTopics.flatMap((topic) => brokers.map((broker) => ({ id: `${broker.name}.${topic.topic}`, topic, broker })));
  return {
    asyncapi: "3.0.0",
    info: {
      title: "QL-RF, the QuantumLayer Resilience Fabric", version,
      description: "What happens in the platform, as CloudEvents 1.0 in structured mode. An event comes at least once; its `id` tells whether it was there before. Those of one `stream` come in order. Members of `data` and values of an enumeration may be added, so that a reader passes over what it does not know; what is there keeps its name and its meaning. Events hold ids, numbers and enumerated values: names are looked up in the API (openapi.json).",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    defaultContentType: "application/cloudevents+json",
    servers: Object.fromEntries(brokers.map(({ name, title, setting, host }) => [name, {
      host: "{host}", protocol: name, title, description: `Where EVENTS_URL is ${setting}`,
      variables: { host: { default: host, description: "Host and port of EVENTS_URL" } },
    }])),
    channels: Object.fromEntries(channels.map(({ id, topic, broker }) => [id, channelOf(topic, broker, sorted)])),
    operations: Object.fromEntries(channels.map(({ id, topic }) => [`send.${id}`, {
      action: "send", channel: { $ref: `#/channels/${id}` }, summary: `The platform sends ${topic.summary}`,
    }])),
    components: {
      messages: Object.fromEntries(sorted.map((type) => [type.type, messageOf(type)])),
      schemas: { [shared]: attributesSchema, ...Object.fromEntries(sorted.map((type) => [type.type, dataSchemaOf(type)])) },
    },
  };
}

/** The data of each type as an AsyncAPI document of `toAsyncApi` has it. */
export function schemasIn(document: unknown): Record<string, Json> {
  const { components } = document as { components?: { schemas?: Record<string, Json> } };
  return Object.fromEntries(Object.entries(components?.schemas ?? {}).filter(([name]) => name !== shared));
}

interface Broker {
  name: string;
  title: string;
  setting: string;
  host: string;
  address(topic: string): Json;
}

const brokers: readonly Broker[] = [
  {
    name: "kafka", title: "Apache Kafka", setting: "kafka://host:port", host: "localhost:9092",
    address: (topic) => ({ address: eventsTopic(topic), bindings: { kafka: { topic: eventsTopic(topic), bindingVersion: "0.5.0" } } }),
  },
  {
    name: "nats", title: "NATS JetStream", setting: "nats://host:port", host: "localhost:4222",
    address: (topic) => ({
      address: subjectTemplate(topic),
      parameters: { shard: { description: "0 to 63, by the stream of the event: what has one stream has one shard", examples: ["17"] } },
    }),
  },
];

function channelOf(topic: TopicSpec, broker: Broker, types: readonly EventType[]): Json {
  const { address, ...rest } = broker.address(topic.topic);
  return {
    address, title: `${topic.topic} (${broker.title})`, summary: `${topic.summary[0]?.toUpperCase() ?? ""}${topic.summary.slice(1)}`,
    servers: [{ $ref: `#/servers/${broker.name}` }],
    messages: Object.fromEntries(types.filter(({ type }) => topicsOf(type).includes(topic.topic)).map(({ type }) => [type, { $ref: `#/components/messages/${type}` }])),
    ...rest,
  };
}

function messageOf({ type, summary, permission }: EventType): Json {
  return {
    name: type, title: type, summary, contentType: "application/cloudevents+json", headers,
    payload: {
      allOf: [
        { $ref: `#/components/schemas/${shared}` },
        { type: "object", properties: { type: { const: type }, data: { $ref: `#/components/schemas/${type}` } } },
      ],
    },
    bindings: { kafka: { key: { type: "string", description: "The `stream` of the event" }, bindingVersion: "0.5.0" } },
    "x-permission": permission,
  };
}

const headers = {
  type: "object",
  required: ["content-type"],
  properties: {
    "content-type": { type: "string", pattern: "^application/cloudevents\\+json(;.*)?$", description: "CloudEvents in structured mode: the event is the message" },
    "Qinfra-Key": { type: "string", description: "NATS only: the `stream` of the event, percent-encoded" },
    "Nats-Msg-Id": { type: "string", description: "NATS only: topic and id, by which JetStream knows a message that comes again" },
  },
};
