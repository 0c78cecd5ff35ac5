import { Type } from "typebox";
import { eventType } from "../../platform/events/declare.ts";
import { ChannelId, ChannelKind, DeliveryId } from "./ids.ts";

const permission = "notifications:read";
const kind = { kind: ChannelKind };
const channel = { channel: ChannelId };

export const ChannelCreated = eventType({ type: "notifications.channel-created", summary: "A notification channel was made", permission, data: kind });
export const ChannelUpdated = eventType({
  type: "notifications.channel-updated", summary: "A notification channel was changed", permission,
  data: { ...kind, enabled: Type.Boolean({ description: "It is used" }), target: Type.Boolean({ description: "Where it leads to was changed" }) },
});
export const ChannelDeleted = eventType({ type: "notifications.channel-deleted", summary: "A notification channel was deleted, with its rules", permission, data: kind });
export const ChannelTested = eventType({ type: "notifications.channel-tested", summary: "A test message was asked for", permission, data: { ...kind, delivery: DeliveryId } });
export const ChannelDisabled = eventType({ type: "notifications.channel-disabled", summary: "A notification channel was disabled, because its address is gone", permission, data: kind });
export const SecretRotated = eventType({
  type: "notifications.secret-rotated", summary: "The signing secret of a webhook was replaced", permission,
  data: { overlapSeconds: Type.Integer({ minimum: 0, description: "How long the secret before it signs as well" }) },
});
export const RuleCreated = eventType({ type: "notifications.rule-created", summary: "A notification rule was made", permission, data: channel });
export const RuleUpdated = eventType({ type: "notifications.rule-updated", summary: "A notification rule was changed", permission, data: { ...channel, enabled: Type.Boolean({ description: "It is used" }) } });
export const RuleDeleted = eventType({ type: "notifications.rule-deleted", summary: "A notification rule was deleted", permission, data: channel });
export const DeliveriesRedriven = eventType({
  type: "notifications.deliveries-redriven", summary: "Messages are sent again", permission, data: { count: Type.Integer({ minimum: 0, description: "How many" }) },
});
export const DeliveriesFailed = eventType({
  type: "notifications.deliveries-failed", summary: "Messages to a notification channel were given up on", permission,
  data: { ...kind, count: Type.Integer({ minimum: 1, description: "How many at once" }) },
});

export const notificationEvents = [
  ChannelCreated, ChannelUpdated, ChannelDeleted, ChannelTested, ChannelDisabled, SecretRotated, RuleCreated, RuleUpdated, RuleDeleted, DeliveriesRedriven, DeliveriesFailed,
];
