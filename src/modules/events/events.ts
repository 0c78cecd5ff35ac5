import { Type } from "typebox";
import { eventType } from "../../platform/events/declare.ts";
import { EventId, SubscriptionName } from "./schemas.ts";

export const DeadLettersRedriven = eventType({
  type: "events.redriven", summary: "Somebody had dead letters handled once more", permission: "audit:read",
  data: {
    subscription: SubscriptionName,
    event: Type.Optional({ ...EventId, description: "The one; absent: all of the subscription" }),
    count: Type.Integer({ minimum: 1, description: "How many they are" }),
  },
});
