import type { ConsumerConfig, ConsumerInfo } from "@nats-io/jetstream";
import { fail, InvalidInput } from "../../../errors.ts";
import type { ConsumerOptions } from "../types.ts";
import type { Connection } from "./connection.ts";
import { durableOf, members, redriveSubject, stream, subjectsOf } from "./names.ts";
import { isNotFound } from "./streams.ts";

const second = 1_000_000_000;

/** Messages that a group has in hand at most, and by which a member may run ahead of a key that is held. */
export const windowSize = 256;
/** What a member does not say it is still working on comes again after this. */
export const ackWaitMs = 30_000;
/** A member that has not asked for so long is no longer the one that works. */
export const memberMs = 10_000;

/** The durable consumer of a group on a topic: made where it is new, made again at another place for `replay`. */
export async function ensureGroup(connection: Connection, options: Pick<ConsumerOptions, "topic" | "group" | "from" | "replay">): Promise<ConsumerInfo> {
  const { manager } = connection;
  const { topic, group, replay = false } = options;
  const known = await groupOf(connection, topic, group);
  if (known !== undefined && !replay) return known;
  const config = { ...groupConfig(topic, group), ...(await placeOf(connection, options)) };
  if (known !== undefined) await manager.consumers.delete(stream, known.name);
  try {
    return await manager.consumers.add(stream, config);
  } catch (error) {
    // Another member has made it in the meantime, at the place that it saw.
    const made = await groupOf(connection, topic, group);
    if (made === undefined) throw error;
    return made;
  }
}

export async function groupOf({ manager }: Connection, topic: string, group: string): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(stream, durableOf(topic, group));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** For a group that is not known: all messages of the topic. */
export async function lagOf(connection: Connection, topic: string, group: string): Promise<number> {
  const known = await groupOf(connection, topic, group);
  if (known !== undefined) return known.num_pending + known.num_ack_pending;
  const { state } = await connection.manager.streams.info(stream, { subjects_filter: subjectsOf(topic) });
  return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
}

/** The pin of the member that works, as the server has it; the library's types leave it out. */
export function pinnedOf(info: ConsumerInfo): string | undefined {
  const { priority_groups: groups = [] } = info as ConsumerInfo & { priority_groups?: { group: string; pinned_client_id?: string }[] };
  return groups.find(({ group }) => group === members)?.pinned_client_id;
}

function groupConfig(topic: string, group: string): Partial<ConsumerConfig> {
  return {
    durable_name: durableOf(topic, group), filter_subjects: [subjectsOf(topic), redriveSubject(topic, group)],
    ack_policy: "explicit", ack_wait: (ackWaitMs / 1000) * second, max_ack_pending: windowSize, replay_policy: "instant",
    priority_policy: "pinned_client", priority_groups: [members], priority_timeout: (memberMs / 1000) * second,
  };
}

async function placeOf({ manager }: Connection, { topic, from }: Pick<ConsumerOptions, "topic" | "from">): Promise<Partial<ConsumerConfig>> {
  if (from === "start") return { deliver_policy: "all" };
  if (from === "new") {
    const { state } = await manager.streams.info(stream);
    return { deliver_policy: "by_start_sequence", opt_start_seq: state.last_seq + 1 };
  }
  const at = /^[1-9]\d*$/.test(from.offset) ? Number(from.offset) : NaN;
  if (!Number.isSafeInteger(at)) fail(InvalidInput, `The offset ${from.offset} of topic ${topic} is not one of NATS: give that of a message that was delivered, such as 42.`);
  return { deliver_policy: "by_start_sequence", opt_start_seq: at };
}
