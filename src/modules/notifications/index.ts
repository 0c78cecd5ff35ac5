import type { Subscription } from "../../platform/events/types.ts";
import type { Module } from "../../platform/operation/index.ts";
import { notificationEvents } from "./events.ts";
import { deleteChannel, getChannel, listChannels, testChannel } from "./operations/channels.ts";
import { createChannel } from "./operations/create-channel.ts";
import { getDelivery, listDeliveries, redriveDeliveries, redriveDelivery } from "./operations/deliveries.ts";
import { createRule, deleteRule, listRules, updateRule } from "./operations/rules.ts";
import { rotateSecret, updateChannel } from "./operations/update-channel.ts";
import { routeSubscription } from "./routing.ts";
import { handOverStep, letGoStep } from "./steps/hand-over.ts";
import { sendWaitingStep } from "./steps/send-waiting.ts";
import { watchWaiting } from "./waiting.ts";
import { notificationWorkflows } from "./workflows/deliver.ts";

export const notifications: Module = {
  name: "notifications",
  operations: [
    createChannel, listChannels, getChannel, updateChannel, rotateSecret, testChannel, deleteChannel,
    createRule, listRules, updateRule, deleteRule,
    listDeliveries, getDelivery, redriveDelivery, redriveDeliveries,
  ],
  events: notificationEvents,
  workflows: notificationWorkflows,
  steps: [sendWaitingStep, handOverStep, letGoStep],
  subscriptions: (services) => {
    watchWaiting(services);
    return [routeSubscription(services) as Subscription];
  },
};

export { sealedColumns } from "./channel-store.ts";
export { sweepDeliveries } from "./sweep.ts";
