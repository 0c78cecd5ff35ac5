import { Type } from "typebox";
import { eventType } from "../../platform/events/declare.ts";
import { TypeId } from "../../platform/ids.ts";

/** Appended by who owns the image or asset, which is its subject. */
export const SoftwareRecorded = eventType({
  type: "software.recorded", summary: "The software of an image or asset became known", permission: "software:read",
  data: { kind: Type.Enum(["image", "asset"], { description: "What has it" }), componentSet: TypeId("set", "Set of its components; equal software has the same") },
});
