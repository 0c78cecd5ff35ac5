import { Type } from "typebox";
import { eventType } from "../../platform/events/declare.ts";

const permission = "audit:read";
const data = { build: Type.Integer({ minimum: 1, description: "Number of the build" }) };

export const RebuildAsked = eventType({ type: "projections.rebuild-asked", summary: "A projection is to be built anew", permission, data });
export const RebuildCancelled = eventType({ type: "projections.rebuild-cancelled", summary: "A projection is not built anew after all", permission, data });
