import { Consumer, FetchIsolationLevels, type BaseOptions, type KafkaRecord } from "@platformatic/kafka";
import { NotFound, fail } from "../../../errors.ts";
import type { DeadLetter } from "../types.ts";
import { answerOf, atMost } from "./clients.ts";
import { earliest, everyPartition, latest, type GroupOffsets } from "./group-offsets.ts";
import { groupNames, type GroupNames } from "./names.ts";
import { endOf, recordsFrom } from "./protocol.ts";
import { deadLetterIn, recordOf } from "./records.ts";
import type { Sender } from "./sender.ts";
import type { Topics } from "./topics.ts";

export interface DeadLetters {
  /** The oldest first. */
  list(topic: string, group: string, limit: number): Promise<DeadLetter[]>;
  /** Errors: NotFound. */
  redrive(topic: string, group: string, id: string): Promise<void>;
}

/** Dead letters are what a compacted topic of one partition holds; it is read whole each time, for it keeps only what is still to be seen to. */
export function kafkaDeadLetters(deps: { client: BaseOptions; topics: Topics; offsets: GroupOffsets; sender: Sender }): DeadLetters {
  const { client, topics, offsets, sender } = deps;

  async function all({ dead }: GroupNames, topic: string): Promise<Map<string, DeadLetter>> {
    const letters = new Map<string, DeadLetter>();
    const partitions = everyPartition(dead, await topics.partitions(dead));
    const [first, end] = await Promise.all([offsets.at([partitions], earliest), offsets.at([partitions], latest)]);
    await read(client, dead, 0, first.get(dead)?.get(0) ?? 0n, end.get(dead)?.get(0) ?? 0n, (record) => {
      const id = record.key?.toString() ?? "";
      const letter = deadLetterIn(topic, record);
      if (letter === undefined) letters.delete(id);
      else letters.set(id, letter);
    });
    return letters;
  }

  return {
    async list(topic, group, limit) {
      return [...(await all(groupNames(topic, group), topic)).values()].slice(0, limit);
    },
    async redrive(topic, group, id) {
      const names = groupNames(topic, group);
      const letter = (await all(names, topic)).get(id);
      if (letter === undefined) fail(NotFound, `There is no dead letter ${id} of the group ${group} in topic ${topic}; it may have been handled in the meantime.`);
      await topics.ensure(names.redrive, "redrive");
      await sender.send([recordOf(names.redrive, letter.message, { id, offset: id, attempts: letter.attempts })]);
    },
  };
}

/** Errors: NotFound, where the offset is behind the last message. */
export async function timestampAt(client: BaseOptions, topic: string, partition: number, offset: bigint, end: bigint): Promise<bigint> {
  let found: bigint | undefined;
  await read(client, topic, partition, offset, end, (_record, timestamp) => {
    found ??= timestamp;
    return false;
  });
  return found ?? fail(NotFound, `There is nothing at offset ${offset} of partition ${partition} in ${topic} or after it.`);
}

/** Gives the records of one partition from `from` up to `end`, until `each` answers false. */
async function read(client: BaseOptions, topic: string, partition: number, from: bigint, end: bigint, each: (record: KafkaRecord, timestamp: bigint) => false | void): Promise<void> {
  if (from >= end) return;
  const reader = new Consumer({ ...client, groupId: "qinfra.reader", isolationLevel: FetchIsolationLevels.READ_UNCOMMITTED });
  reader.on("error", () => undefined);
  reader.topics.track(topic);
  try {
    for (let position = from; position < end;) {
      const { topics } = await answerOf(`say who leads ${topic}`, reader.metadata({ topics: [topic] }));
      const its = topics.get(topic);
      const request = { topicId: its?.id ?? "", partitions: [{ partition, fetchOffset: position, partitionMaxBytes: 1_048_576, currentLeaderEpoch: -1, lastFetchedEpoch: -1 }] };
      const answer = await answerOf(`read ${topic}`, reader.fetch({ node: its?.partitions[partition]?.leader ?? -1, topics: [request], maxWaitTime: 1_000, minBytes: 1, maxBytes: 1_048_576 }));
      for (const batch of answer.responses.flatMap(({ partitions }) => partitions).flatMap(({ records }) => records ?? [])) {
        for (const { record } of recordsFrom(batch, position)) if (each(record, batch.maxTimestamp) === false) return;
        position = endOf(batch);
      }
    }
  } finally {
    await atMost(5_000, reader.close(true));
  }
}
