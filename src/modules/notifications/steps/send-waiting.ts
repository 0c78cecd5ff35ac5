import type { Db } from "../../../platform/database/database.ts";
import type { StoredEvent } from "../../../platform/events/types.ts";
import { fromTypeId, uuidOf } from "../../../platform/ids.ts";
import { stepHandler, type StepPrepareContext } from "../../../platform/workflow/index.ts";
import type { Outcome } from "../channels/outcome.ts";
import { pace, send } from "../channels/send.ts";
import { openTarget } from "../channels/target.ts";
import { channelById, type ChannelRow } from "../channel-views.ts";
import { claim } from "../delivery-store.ts";
import { contentsOf, namesOfSubjects, type ToSend } from "../delivery-views.ts";
import type { Message } from "../domain/message.ts";
import { deliveryTypeId } from "../ids.ts";
import { record } from "../recording.ts";
import { sendWaiting } from "../workflows/deliver.ts";
import { inTurn } from "./in-turn.ts";

/** One that was tried, or `later` where it was left alone. */
export interface Tried {
  delivery: ToSend;
  at: number;
  ms: number;
  result: Outcome;
}

interface Taken {
  channel: ChannelRow;
  deliveries: ToSend[];
  names: Map<string, string>;
}

export const sendWaitingStep = stepHandler(sendWaiting, {
  async prepare(context, { channel }): Promise<readonly Tried[]> {
    const taken = await context.transaction((db) => take(db, context, uuidOf("chn", channel)));
    if (taken === undefined || taken.deliveries.length === 0) return [];
    const target = await openTarget(context.secrets, context.orgId, taken.channel.sealed);
    const { kind, recipients, name } = taken.channel;
    return inTurn(taken.deliveries, pace[kind].atOnce, context.clock, (delivery) =>
      send({ http: context.http, mail: context.mail, publicUrl: context.publicUrl, signal: context.signal, now: context.clock.now() },
        { kind, target, recipients }, messageOf(delivery, name, taken.names, context)));
  },
  handle: (context, { channel }, tried) => record(context, uuidOf("chn", channel), tried),
});

/** What is due on the channel, its content fixed; nothing where another run has the channel, or it is left alone. */
async function take(db: Db, { clock, runId }: StepPrepareContext, id: string): Promise<Taken | undefined> {
  const channel = await channelById(db, id);
  if (channel === undefined || !channel.enabled || (channel.run_id ?? runId) !== runId) return undefined;
  const now = clock.now();
  if (channel.blocked_until !== null && channel.blocked_until.getTime() > now) return undefined;
  // After failures one is enough to see whether it works again.
  const claimed = await claim(db, id, new Date(now).toISOString(), channel.failures > 0 ? 1 : pace[channel.kind].most);
  const deliveries = await contentsOf(db, claimed);
  const subjects = deliveries.flatMap(({ events }) => events.map(({ subject }) => subject));
  const uuids = (prefix: string): string[] => [...new Set(subjects.map((subject) => fromTypeId(prefix, subject)).filter((uuid) => uuid !== undefined))];
  return { channel, deliveries, names: await namesOfSubjects(db, uuids("img"), uuids("ast")) };
}

function messageOf(delivery: ToSend, channelName: string, names: ReadonlyMap<string, string>, { eventTypes }: StepPrepareContext): Message {
  const nameOf = ({ subject }: StoredEvent): string => names.get(fromTypeId("img", subject) ?? fromTypeId("ast", subject) ?? "") ?? subject;
  return {
    id: deliveryTypeId(delivery.id), kind: delivery.kind, rule: delivery.rule ?? channelName, ...(delivery.template === null ? {} : { template: delivery.template }),
    told: delivery.events.map((event) => ({ event, name: nameOf(event), summary: eventTypes.find(({ type }) => type === event.type)?.summary ?? event.type })),
  };
}
