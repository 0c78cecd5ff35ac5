import type { Admin } from "@platformatic/kafka";
import { Conflict, fail } from "../../../errors.ts";
import { answerOf, saysKafka } from "./clients.ts";
import type { At } from "./names.ts";

/** By topic: the offset by partition. */
export type Offsets = Map<string, Map<number, bigint>>;
export const earliest = -2n;
export const latest = -1n;

export interface Partitions {
  topic: string;
  partitions: number[];
}

export interface GroupOffsets {
  /** What the group has committed; a partition of which it has committed nothing is missing. */
  committed(group: string, topics: readonly Partitions[]): Promise<Offsets>;
  /** `timestamp`: `earliest`, `latest`, or the first record of that time (ms) or later, which is the end where there is none. */
  at(topics: readonly Partitions[], timestamp: bigint): Promise<Offsets>;
  /** Sets them while nobody is in the group. Errors: Conflict. */
  set(group: string, topic: string, offsets: readonly At[]): Promise<void>;
  members(group: string): Promise<number>;
}

export function groupOffsets(admin: Admin): GroupOffsets {
  async function listed(topics: readonly Partitions[], timestamp: bigint): Promise<Offsets> {
    const asked = topics.filter(({ partitions }) => partitions.length > 0).map(({ topic, partitions }) => ({ name: topic, partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp })) }));
    if (asked.length === 0) return new Map();
    const found = await answerOf("list offsets", admin.listOffsets({ topics: asked }));
    return new Map(found.map(({ name, partitions }) => [name, new Map(partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset]))]));
  }

  async function members(group: string): Promise<number> {
    try {
      return (await answerOf(`describe the group ${group}`, admin.describeGroups({ groups: [group] }))).get(group)?.members.size ?? 0;
    } catch (error) {
      if (saysKafka(error, "GROUP_ID_NOT_FOUND")) return 0;
      throw error;
    }
  }

  return {
    members,
    async at(topics, timestamp) {
      if (timestamp < 0n) return listed(topics, timestamp);
      // The ends first: what comes in between has that time, and must not lie before the end.
      const ends = await listed(topics, latest);
      const found = await listed(topics, timestamp);
      for (const [topic, offsets] of found) for (const [partition, offset] of offsets) if (offset < 0n) offsets.set(partition, ends.get(topic)?.get(partition) ?? 0n);
      return found;
    },
    async committed(group, topics) {
      const asked = topics.filter(({ partitions }) => partitions.length > 0).map(({ topic, partitions }) => ({ name: topic, partitionIndexes: [...partitions] }));
      const groups = await answerOf(`say how far the group ${group} is`, admin.listConsumerGroupOffsets({ groups: [{ groupId: group, topics: asked }] }));
      return new Map((groups[0]?.topics ?? []).map(({ name, partitions }) => [
        name, new Map(partitions.filter(({ committedOffset }) => committedOffset >= 0n).map(({ partitionIndex, committedOffset }) => [partitionIndex, committedOffset])),
      ]));
    },
    async set(group, topic, offsets) {
      const topics = [{ name: topic, partitionOffsets: offsets.map(({ partition, offset }) => ({ partition, offset })) }];
      try {
        await answerOf(`set the offsets of the group ${group}`, admin.alterConsumerGroupOffsets({ groupId: group, topics }));
      } catch (error) {
        if (saysKafka(error, "UNKNOWN_MEMBER_ID") || (await members(group)) > 0) fail(Conflict, `The group ${group} has consumers, and its offsets cannot be set while they read: stop them first.`);
        throw error;
      }
    },
  };
}

export const everyPartition = (topic: string, count: number): Partitions => ({ topic, partitions: Array.from({ length: count }, (_, index) => index) });
