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
