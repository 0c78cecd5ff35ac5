import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { insertChannel } from "../channel-store.ts";
import { countChannels, shownChannel } from "../channel-views.ts";
import { changedTarget, hintOf, sealTarget } from "../channels/target.ts";
import { ChannelExists, ChannelInvalid, ChannelLimit } from "../errors.ts";
import { ChannelCreated } from "../events.ts";
import { ChannelKind, channelTypeId } from "../ids.ts";
import { ChannelWithSecret, Name, Secret, targetFields, type Channel } from "../schemas.ts";

const mostChannels = 200;

export const createChannel = operation({
  id: "notifications.create-channel",
  http: "POST /api/v1/notifications/channels",
  cli: { name: "channels create", positional: ["name", "kind"], columns: ["id", "name", "kind", "target", "secret"] },
  summary: "Make a channel by which people or programs are told of events",
  description: "Its endpoint, secret and credentials are sealed and never shown again. A webhook is signed as Standard Webhooks has it, with a secret that is shown once.",
  permission: "notifications:write",
  effect: "change",
  answersSecret: true,
  without: { mcp: "the answer holds a secret, which is for a person" },
  input: Type.Object({
    name: Name, kind: ChannelKind, endpoint: Type.Optional(targetFields.endpoint), recipients: Type.Optional(targetFields.recipients),
    authorization: Type.Optional(targetFields.authorization), secret: Type.Optional(Secret),
  }),
  output: ChannelWithSecret,
  errors: [ChannelInvalid, ChannelExists, ChannelLimit],
  creates: true,
  examples: [
    { summary: "Slack, Mattermost or Rocket.Chat", input: { name: "on-call", kind: "slack", endpoint: "https://hooks.slack.example/services/T0/B0/x" } },
    { summary: "E-mail", input: { name: "team-mail", kind: "email", recipients: ["team@example.org"] } },
    { summary: "A signed webhook", input: { name: "tickets", kind: "webhook", endpoint: "https://tickets.example/hooks/qinfra" } },
  ],
  async prepare({ secrets, orgId }, { kind, ...input }) {
    const { target, recipients } = changedTarget(kind, { target: {}, recipients: [] }, input);
    const sealed = kind === "email" ? null : await sealTarget(secrets, orgId, target);
    return { sealed, hint: hintOf(target), recipients, ...(target.secret === undefined ? {} : { secret: target.secret }) };
  },
  async handle({ db, orgId, ids, clock, events }, { name, kind }, { sealed, hint, recipients, secret }) {
    if ((await countChannels(db)) >= mostChannels) fail(ChannelLimit, `The organization has ${mostChannels} channels, and may have no more; delete one that is not used.`);
    const id = ids.uuid();
    const made = await insertChannel(db, { orgId, id, name, kind, recipients, sealed, hint, at: timestamp(clock) });
    if (!made) fail(ChannelExists, `There is a channel ${name} already; choose another name, or change that one.`);
    await events.append({ type: ChannelCreated, subject: channelTypeId(id), data: { kind } });
    return { ...((await shownChannel(db, id)) as Channel), ...(secret === undefined ? {} : { secret }) };
  },
});
