import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { Conflict, fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { updateChannel as update } from "../channel-store.ts";
import { shownChannel } from "../channel-views.ts";
import { changedTarget, hintOf, newSecret, openTarget, sealTarget } from "../channels/target.ts";
import { endWaiting } from "../delivery-store.ts";
import { typesHeldFor } from "../delivery-views.ts";
import { ChannelInvalid, ChannelNotFound, EventNotAllowed } from "../errors.ts";
import { ChannelUpdated, SecretRotated } from "../events.ts";
import { ChannelId } from "../ids.ts";
import { maySee } from "../may-see.ts";
import { rulesOfChannel } from "../rule-views.ts";
import { Channel, Secret, targetFields } from "../schemas.ts";
import { wakeUp } from "../waking.ts";
import { channelOf } from "./channels.ts";

const example = { id: "chn_01jd0000000000000000000000" };
const changedMeanwhile = "The channel was changed by somebody else meanwhile; look at it and repeat the change.";

export const updateChannel = operation({
  id: "notifications.update-channel",
  http: "PATCH /api/v1/notifications/channels/{id}",
  cli: { name: "channels update", positional: ["id"] },
  summary: "Change a notification channel, or enable or disable it",
  description: "Disabling it ends what waits for it. Changing where it leads to needs the right to see all events that its rules send there.",
  permission: "notifications:write",
  effect: "change",
  input: Type.Object({
    id: ChannelId, endpoint: Type.Optional(targetFields.endpoint), recipients: Type.Optional(targetFields.recipients), authorization: Type.Optional(targetFields.authorization),
    enabled: Type.Optional(Type.Boolean({ description: "While it is false nothing is sent to it and nothing is kept for it" })),
  }),
  output: Channel,
  errors: [ChannelNotFound, ChannelInvalid, EventNotAllowed],
  examples: [{ input: { ...example, enabled: false } }],
  async prepare({ secrets, orgId, transaction, actor, eventTypes }, input) {
    const { id } = input;
    const { channel, types } = await transaction(async (db) => {
      const found = await channelOf(db, id);
      return { channel: found, types: [...(await rulesOfChannel(db, found.id)).flatMap((rule) => rule.types), ...(await typesHeldFor(db, found.id))] };
    });
    const moves = input.endpoint !== undefined || input.recipients !== undefined;
    // Otherwise somebody could have sent to themselves what only the makers of its rules may see, deliveries that are driven again included.
    if (moves) maySee(actor, eventTypes, types);
    const before = { target: await openTarget(secrets, orgId, channel.sealed), recipients: channel.recipients };
    const { target, recipients } = changedTarget(channel.kind, before, input);
    const changed = moves || input.authorization !== undefined;
    const sealed = !changed || channel.kind === "email" ? channel.sealed : await sealTarget(secrets, orgId, target);
    return { before: channel.sealed, sealed, hint: hintOf(target), recipients, moves };
  },
  async handle(context, { id, enabled }, { before, sealed, hint, recipients, moves }) {
    const { db, clock, events } = context;
    const channel = await channelOf(db, id);
    const at = timestamp(clock);
    const used = enabled ?? channel.enabled;
    if (!(await update(db, channel.id, before, { enabled: used, recipients, sealed, hint, at }))) fail(Conflict, changedMeanwhile);
    if (!used) {
      await endWaiting(db, { channel: channel.id }, { state: "cancelled", reason: "The channel was disabled.", at });
      await wakeUp(context, channel.id);
    }
    await events.append({ type: ChannelUpdated, subject: id, data: { kind: channel.kind, enabled: used, target: moves } });
    return (await shownChannel(db, channel.id)) as Channel;
  },
});

export const rotateSecret = operation({
  id: "notifications.rotate-secret",
  http: "POST /api/v1/notifications/channels/{id}/secret",
  cli: { name: "channels rotate-secret", positional: ["id"], columns: ["id", "secret", "previousUntil"], alone: "secret" },
  summary: "Give a webhook a new signing secret",
  description: "Until the time that is answered each message is signed with the new and with the old secret, so that the receiver can change over in between.",
  permission: "notifications:write",
  effect: "change",
  answersSecret: true,
  without: { mcp: "the answer holds a secret, which is for a person" },
  input: Type.Object({
    id: ChannelId, secret: Type.Optional(Secret),
    overlapSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 604_800, default: 86_400, description: "How long the old secret signs as well; 0 where it is known to others" })),
  }),
  output: Type.Object({ id: ChannelId, secret: Type.String({ description: "The new secret; it is not shown again" }), previousUntil: Type.String({ format: "date-time", description: "Until when the old one signs as well" }) }),
  errors: [ChannelNotFound, ChannelInvalid],
  examples: [{ input: example }],
  async prepare({ secrets, orgId, transaction, clock }, { id, secret: given, overlapSeconds = 86_400 }) {
    const channel = await transaction((db) => channelOf(db, id));
    if (channel.kind !== "webhook") fail(ChannelInvalid, `Only webhooks are signed; ${channel.name} is a ${channel.kind} channel.`);
    const { target } = changedTarget("webhook", { target: await openTarget(secrets, orgId, channel.sealed), recipients: [] }, given === undefined ? {} : { secret: given });
    const old = await openTarget(secrets, orgId, channel.sealed);
    const secret = given ?? newSecret();
    const until = clock.now() + overlapSeconds * 1_000;
    const sealed = await sealTarget(secrets, orgId, { ...target, secret, ...(old.secret === undefined ? {} : { previous: { secret: old.secret, until } }) });
    return { before: channel.sealed, sealed, secret, until };
  },
  async handle({ db, clock, events }, { id, overlapSeconds = 86_400 }, { before, sealed, secret, until }) {
    const { enabled, recipients, hint, id: uuid } = await channelOf(db, id);
    if (!(await update(db, uuid, before, { enabled, recipients, sealed, hint, at: timestamp(clock) }))) fail(Conflict, changedMeanwhile);
    await events.append({ type: SecretRotated, subject: id, data: { overlapSeconds } });
    return { id, secret, previousUntil: new Date(until).toISOString() };
  },
});
