import { Type } from "typebox";

/** CloudEvents 1.0 in the JSON format, with the extension attributes of the platform. */
export const CloudEventShape = Type.Object({
  specversion: Type.Literal("1.0"),
  id: Type.String({ format: "uuid" }),
  source: Type.String({ description: "`urn:qinfra:<module>`" }),
  type: Type.String(),
  subject: Type.String({ description: "Id of what changed" }),
  time: Type.String({ format: "date-time" }),
  datacontenttype: Type.Literal("application/json"),
  data: Type.Record(Type.String(), Type.Unknown(), { description: "As the type declares it" }),
  orgid: Type.String({ format: "uuid" }),
  actor: Type.String({ description: "Id of who acted, or `system`" }),
  operation: Type.String(),
  requestid: Type.String(),
  door: Type.String(),
  ai: Type.Boolean(),
  privatehash: Type.Optional(Type.String({ description: "Of what the event says about a person, which is not sent" })),
  stream: Type.String(),
  version: Type.Integer(),
});

export const EventId = Type.String({ pattern: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description: "Id of the event", examples: ["01a20074-1de6-70c2-96ea-e407aa20b019"] });

/** A subscription between modules, or `bus <topic> <group>`. */
export const SubscriptionName = Type.String({
  pattern: "^[a-z][a-z0-9.-]{0,99}( [A-Za-z0-9._-]{1,100}){0,2}$", description: "Subscription that gave up: `vulnerabilities.match`, or `bus <topic> <group>` for a group of the bus on the log", examples: ["vulnerabilities.match"],
});

export const DeadLetter = Type.Object({
  subscription: SubscriptionName,
  event: EventId,
  type: Type.String({ description: "What happened" }),
  subject: Type.String({ description: "What it happened to" }),
  happenedAt: Type.String({ format: "date-time" }),
  attempts: Type.Integer({ description: "How often it was tried" }),
  reason: Type.String({ description: "Why the last attempt failed" }),
  failedAt: Type.String({ format: "date-time", description: "When it failed last" }),
  redriving: Type.Boolean({ description: "Somebody has asked that it be handled once more, and that has not happened yet" }),
});
