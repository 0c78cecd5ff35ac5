import { Type } from "typebox";
import { grants } from "../../../platform/actor.ts";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { toTypeId, uuidOf } from "../../../platform/ids.ts";
import { fromCursor, operation, Page, pageOf, paging, type Context } from "../../../platform/operation/index.ts";
import { redrive, type RedriveFilter } from "../delivery-store.ts";
import { attemptsOf, deliveryById, eventsOf, listDeliveries as readDeliveries } from "../delivery-views.ts";
import { ChannelNotFound, DeliveryNotFound, RuleNotFound } from "../errors.ts";
import { DeliveriesRedriven } from "../events.ts";
import { ChannelId, DeliveryId, RuleId } from "../ids.ts";
import { ruleById } from "../rule-views.ts";
import { Delivery, DeliveryState, DeliveryWithAttempts } from "../schemas.ts";
import { wake } from "../waking.ts";
import { channelOf } from "./channels.ts";

const mostAtOnce = 1_000;
const ended = ["failed", "delivered", "cancelled"] as const;
const example = { id: "dlv_01jd0000000000000000000000" };

export const listDeliveries = operation({
  id: "notifications.list-deliveries",
  http: "GET /api/v1/notifications/deliveries",
  cli: { name: "deliveries list", columns: ["id", "channel", "kind", "state", "attempts", "createdAt", "reason"] },
  summary: "List deliveries of notifications, newest first",
  description: "Those that ended stay for at least 30 days.",
  permission: "notifications:read",
  effect: "read",
  input: Type.Object({ channel: Type.Optional(ChannelId), rule: Type.Optional(RuleId), state: Type.Optional(DeliveryState), ...paging }),
  output: Page(Delivery),
  errors: [ChannelNotFound, RuleNotFound],
  examples: [
    { input: {} }, { summary: "What failed on a channel", input: { channel: "chn_01jd0000000000000000000000", state: "failed" } },
    { summary: "What a rule has sent", input: { rule: "rul_01jd0000000000000000000000" } },
  ],
  async handle({ db }, { channel, rule, state, cursor, limit = 100 }) {
    const after = fromCursor(cursor, /^dlv_[0-7][0-9a-hjkmnp-tv-z]{25}$/);
    if (channel !== undefined) await channelOf(db, channel);
    if (rule !== undefined && (await ruleById(db, uuidOf("rul", rule))) === undefined) fail(RuleNotFound, `There is no rule ${rule} in this organization.`);
    const deliveries = await readDeliveries(db, {
      limit: limit + 1, ...(channel === undefined ? {} : { channel: uuidOf("chn", channel) }), ...(rule === undefined ? {} : { rule: uuidOf("rul", rule) }),
      ...(state === undefined ? {} : { state }), ...(after === undefined ? {} : { after: uuidOf("dlv", after) }),
    });
    return pageOf(deliveries, limit, ({ id }) => id);
  },
});

export const getDelivery = operation({
  id: "notifications.get-delivery",
  http: "GET /api/v1/notifications/deliveries/{id}",
  cli: { name: "deliveries get", positional: ["id"] },
  summary: "Show a delivery with its attempts and what was answered",
  permission: "notifications:read",
  effect: "read",
  snapshot: true,
  input: Type.Object({ id: DeliveryId }),
  output: DeliveryWithAttempts,
  errors: [DeliveryNotFound],
  examples: [{ input: example }],
  prepare: async ({ actor, eventTypes }) => eventTypes.filter(({ permission }) => grants(actor.permissions, permission)).map(({ type }) => type),
  async handle({ db }, { id }, visible) {
    const uuid = uuidOf("dlv", id);
    const delivery = await deliveryById(db, uuid);
    if (delivery === undefined) fail(DeliveryNotFound, `There is no delivery ${id} in this organization; qinfra deliveries list shows what there is.`);
    const about = (await eventsOf(db, uuid)).filter(({ type }) => visible.includes(type)).map(({ id: event, type, subject, time }) => ({ event, type, subject, time }));
    return { ...delivery, about, tried: (await attemptsOf(db, uuid)).map((attempt) => ({ ...attempt, at: attempt.at.toISOString() })) };
  },
});

export const redriveDelivery = operation({
  id: "notifications.redrive-delivery",
  http: "POST /api/v1/notifications/deliveries/{id}/redrive",
  cli: { name: "deliveries redrive", positional: ["id"] },
  summary: "Send a delivery again that has ended",
  description: "Under the same id, by which a receiver knows what it has seen already. One that was delivered is sent once more.",
  permission: "notifications:write",
  effect: "change",
  input: Type.Object({ id: DeliveryId }),
  output: Type.Object({ redriven: Type.Integer({ description: "1, or 0 where it has not ended or its channel is disabled" }) }),
  errors: [DeliveryNotFound],
  examples: [{ input: example }],
  async handle(context, { id }) {
    const uuid = uuidOf("dlv", id);
    if ((await deliveryById(context.db, uuid)) === undefined) fail(DeliveryNotFound, `There is no delivery ${id} in this organization; qinfra deliveries list shows what there is.`);
    return { redriven: await again(context, { id: uuid, states: ended, limit: 1 }, id) };
  },
});

export const redriveDeliveries = operation({
  id: "notifications.redrive-deliveries",
  http: "POST /api/v1/notifications/redrive",
  cli: { name: "deliveries redrive-all" },
  summary: "Send deliveries again that have failed, or ended otherwise",
  description: `At most ${mostAtOnce} at once, the oldest first; call it again while it answers as many. Those of disabled channels are left out.`,
  permission: "notifications:write",
  effect: "change",
  input: Type.Object({
    channel: Type.Optional(ChannelId), rule: Type.Optional(RuleId),
    state: Type.Optional(Type.Enum([...ended], { default: "failed", description: "What had become of them" })),
    from: Type.Optional(Type.String({ format: "date-time", description: "They ended at this time or later" })), to: Type.Optional(Type.String({ format: "date-time", description: "They ended before" })),
  }),
  output: Type.Object({ redriven: Type.Integer({ description: "How many are sent again" }) }),
  errors: [ChannelNotFound, RuleNotFound],
  examples: [
    { input: {} }, { summary: "What failed on a channel", input: { channel: "chn_01jd0000000000000000000000" } }, { summary: "And by one rule", input: { rule: "rul_01jd0000000000000000000000" } },
  ],
  async handle(context, { channel, rule, state = "failed", from, to }) {
    if (channel !== undefined) await channelOf(context.db, channel);
    if (rule !== undefined && (await ruleById(context.db, uuidOf("rul", rule))) === undefined) fail(RuleNotFound, `There is no rule ${rule} in this organization.`);
    const redriven = await again(context, {
      states: [state], limit: mostAtOnce, ...(channel === undefined ? {} : { channel: uuidOf("chn", channel) }), ...(rule === undefined ? {} : { rule: uuidOf("rul", rule) }),
      ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }),
    }, toTypeId("org", context.orgId));
    return { redriven };
  },
});

async function again(context: Context, filter: RedriveFilter, subject: string): Promise<number> {
  const { db, clock, events } = context;
  const channels = await redrive(db, filter, timestamp(clock));
  for (const channel of [...new Set(channels)].sort()) await wake(context, channel, clock.now());
  await events.append({ type: DeliveriesRedriven, subject, data: { count: channels.length } });
  return channels.length;
}
