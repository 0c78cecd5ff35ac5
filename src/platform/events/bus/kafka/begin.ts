import type { BaseOptions } from "@platformatic/kafka";
import { Conflict, InvalidInput, fail } from "../../../errors.ts";
import type { ConsumerOptions } from "../types.ts";
import { timestampAt } from "./dead-letters.ts";
import { earliest, everyPartition, latest, type GroupOffsets, type Partitions } from "./group-offsets.ts";
import { parseOffset, type At, type GroupNames } from "./names.ts";

/** How far the clocks of two brokers may be apart: by so much earlier does a group begin in the other partitions (ms). */
const skewMs = 10_000n;

/**
 * Sets where a group begins, where it is new or `replay` is asked for. An offset holds for its own partition; in the others
 * the group begins at the same moment, a little earlier for the sake of clocks that differ. A group of which Kafka knows
 * nothing is new: it forgets those that have had no consumer for `offsets.retention.minutes`, which is a week.
 * Errors: Conflict, InvalidInput, NotFound, BusUnavailable.
 */
export async function beginGroup(client: BaseOptions, offsets: GroupOffsets, names: GroupNames, partitions: number, { from, replay = false }: Pick<ConsumerOptions, "from" | "replay">): Promise<void> {
  const events = everyPartition(names.events, partitions);
  const known = (await offsets.committed(names.group, [events])).get(names.events) ?? new Map<number, bigint>();
  // Of a partition that was added since nothing may be missed: the consumer begins at its start.
  if (!replay && known.size > 0) return;
  if ((await offsets.members(names.group)) > 0) {
    if (replay) fail(Conflict, `The group ${names.group} has consumers and cannot be taken back while they read: stop them first.`);
    return; // another one begins it right now
  }
  await offsets.set(names.group, names.events, await beginOf(client, offsets, events, from));
}

async function beginOf(client: BaseOptions, offsets: GroupOffsets, events: Partitions, from: ConsumerOptions["from"]): Promise<At[]> {
  if (from === "start" || from === "new") return inAll(events, await offsets.at([events], from === "start" ? earliest : latest));
  const at = parseOffset(from.offset);
  const ends = inAll(events, await offsets.at([events], latest));
  const end = ends.find(({ partition }) => partition === at.partition)?.offset;
  if (end === undefined) fail(InvalidInput, `${events.topic} has ${events.partitions.length} partitions, and ${from.offset} is in none of them.`);
  if (at.offset >= end) return ends.map((each) => (each.partition === at.partition ? { ...at, offset: end } : each));
  const moment = await timestampAt(client, events.topic, at.partition, at.offset, end);
  const others = inAll(events, await offsets.at([events], moment > skewMs ? moment - skewMs : 0n));
  return others.map((each) => (each.partition === at.partition ? at : each));
}

function inAll({ topic, partitions }: Partitions, found: Awaited<ReturnType<GroupOffsets["at"]>>): At[] {
  return partitions.map((partition) => ({ partition, offset: found.get(topic)?.get(partition) ?? 0n }));
}
