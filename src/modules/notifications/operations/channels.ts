import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import type { Db } from "../../../platform/database/database.ts";
import { fail } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { anyKey, fromCursor, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { deleteChannel as remove } from "../channel-store.ts";
import { channelById, listChannels as readChannels, shownChannel, type ChannelRow } from "../channel-views.ts";
import { insertDelivery } from "../delivery-store.ts";
import { deliveryById } from "../delivery-views.ts";
import { ChannelDisabled, ChannelNotFound } from "../errors.ts";
import { ChannelDeleted, ChannelTested } from "../events.ts";
import { ChannelId, deliveryTypeId } from "../ids.ts";
import { Channel, Delivery } from "../schemas.ts";
import { wake, wakeUp } from "../waking.ts";

const example = { id: "chn_01jd0000000000000000000000" };

export async function channelOf(db: Db, id: string): Promise<ChannelRow> {
  const row = await channelById(db, uuidOf("chn", id));
  if (row === undefined) fail(ChannelNotFound, `There is no channel ${id} in this organization; qinfra channels list shows what there is.`);
  return row;
}

export const listChannels = operation({
  id: "notifications.list-channels",
  http: "GET /api/v1/notifications/channels",
  cli: { name: "channels list", columns: ["id", "name", "kind", "target", "enabled", "waiting", "failures"] },
  summary: "List notification channels, by name",
  permission: "notifications:read",
  effect: "read",
  input: Type.Object(paging),
  output: Page(Channel),
  examples: [{ input: {} }],
  async handle({ db }, { cursor, limit = 100 }) {
    const after = fromCursor(cursor, anyKey);
    return pageOf(await readChannels(db, { limit: limit + 1, ...(after === undefined ? {} : { after }) }), limit, ({ name }) => name);
  },
});

export const getChannel = operation({
  id: "notifications.get-channel",
  http: "GET /api/v1/notifications/channels/{id}",
  cli: { name: "channels get", positional: ["id"] },
  summary: "Show a notification channel and how it stands",
  permission: "notifications:read",
  effect: "read",
  input: Type.Object({ id: ChannelId }),
  output: Channel,
  errors: [ChannelNotFound],
  examples: [{ input: example }],
  async handle({ db }, { id }) {
    await channelOf(db, id);
    return (await shownChannel(db, uuidOf("chn", id))) as Channel;
  },
});

export const deleteChannel = operation({
  id: "notifications.delete-channel",
  http: "DELETE /api/v1/notifications/channels/{id}",
  cli: { name: "channels delete", positional: ["id"] },
  summary: "Delete a notification channel, with its rules and deliveries",
  permission: "notifications:write",
  effect: "change",
  input: Type.Object({ id: ChannelId }),
  output: Type.Object({ id: ChannelId }),
  errors: [ChannelNotFound],
  examples: [{ input: example }],
  async handle(context, { id }) {
    const { db, events } = context;
    const { kind } = await channelOf(db, id);
    await wakeUp(context, uuidOf("chn", id));
    await remove(db, uuidOf("chn", id));
    await events.append({ type: ChannelDeleted, subject: id, data: { kind } });
    return { id };
  },
});

export const testChannel = operation({
  id: "notifications.test-channel",
  http: "POST /api/v1/notifications/channels/{id}/test",
  cli: { name: "channels test", positional: ["id"], columns: ["id", "state", "reason"] },
  summary: "Send a test message to a channel",
  description: "Answers the delivery, which `notifications.get-delivery` shows with what was answered.",
  permission: "notifications:write",
  effect: "change",
  input: Type.Object({ id: ChannelId }),
  output: Delivery,
  errors: [ChannelNotFound, ChannelDisabled],
  creates: true,
  examples: [{ input: example }],
  async handle(context, { id }) {
    const { db, orgId, ids, clock, events, requestId } = context;
    const channel = await channelOf(db, id);
    if (!channel.enabled) fail(ChannelDisabled, `The channel ${channel.name} is disabled; enable it first with qinfra channels update ${id} --enabled true.`);
    const [delivery, at] = [ids.uuid(), timestamp(clock)];
    const data = { kind: channel.kind, delivery: deliveryTypeId(delivery) };
    const event = await events.append({ type: ChannelTested, subject: id, data });
    await insertDelivery(db, { orgId, id: delivery, channelId: channel.id, ruleId: null, kind: "test", dueAt: at, at }, {
      id: event, orgId, position: 0, type: ChannelTested.type, subject: id, stream: id, version: 0, time: at, actor: "system",
      operation: "notifications.test-channel", requestId, door: "system", ai: false, data,
    });
    await wake(context, channel.id, clock.now());
    return (await deliveryById(db, delivery)) as Delivery;
  },
});
