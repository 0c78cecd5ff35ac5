import { Type } from "typebox";
import { toTypeId, TypeId } from "../../platform/ids.ts";

export const channelKinds = ["webhook", "slack", "email", "alertmanager"] as const;
export type ChannelKindName = (typeof channelKinds)[number];

export const ChannelId = TypeId("chn", "Id of a notification channel");
export const RuleId = TypeId("rul", "Id of a notification rule");
export const DeliveryId = TypeId("dlv", "Id of a delivery; webhooks carry it as `webhook-id`");
export const ChannelKind = Type.Enum([...channelKinds], { description: "How it is spoken to" });

export const channelTypeId = (id: string): string => toTypeId("chn", id);
export const ruleTypeId = (id: string): string => toTypeId("rul", id);
export const deliveryTypeId = (id: string): string => toTypeId("dlv", id);
