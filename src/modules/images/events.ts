import { Type } from "typebox";
import { eventType } from "../../platform/events/declare.ts";
import { imageSources } from "./schemas.ts";

const permission = "images:read";

export const ImageRegistered = eventType({
  type: "images.registered", summary: "A golden image was registered", permission,
  data: { source: Type.Enum([...imageSources], { description: "What it was registered from" }) },
});
export const ImageTagged = eventType({
  type: "images.tagged", summary: "An image has other tags", permission, data: { count: Type.Integer({ minimum: 0, description: "How many tags it has" }) },
});
export const ImageDeleted = eventType({ type: "images.deleted", summary: "An image was deleted", permission, data: {} });
