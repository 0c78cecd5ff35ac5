import type { BaseOptions, CommitOptionsPartition, KafkaRecord, RecordsBatch } from "@platformatic/kafka";
import type { Logger } from "pino";
import type { Timer } from "../../timer.ts";
import { atMost } from "./clients.ts";
import { startFetching, type Position } from "./fetching.ts";
import { earliest, type GroupOffsets, type Partitions } from "./group-offsets.ts";
import { keyedWork } from "./keyed-work.ts";
import { joinGroup, type Member } from "./member.ts";
import type { GroupNames } from "./names.ts";
import { endOf, recordsFrom } from "./protocol.ts";

/** How long others wait for what is in hand when the partitions are shared out anew, and for the commit after it (ms). */
const [releaseMs, lastCommitMs] = [4_000, 2_000];
/** Offsets are committed that often at most (ms). */
const commitMs = 50;
const restMs = 500;

/** A record that is in hand or waits for its turn. */
export interface Held {
  topic: string;
  partition: number;
  offset: bigint;
  record: KafkaRecord;
  /** Aborts when it will come again. */
  abandoned: AbortSignal;
}

export interface GroupConsumer {
  /** Ends what is in hand, takes no more and leaves the group. */
  stop(): Promise<void>;
  /** The same, but tells what is in hand that it will come again. */
  abandon(): Promise<void>;
}

interface Owned {
  topic: string;
  partition: number;
  /** Where to fetch next. */
  position: bigint;
  /** Held and not handled, in order. */
  open: Set<bigint>;
  committed: bigint;
  abandon: AbortController;
}

export interface GroupConsumerOptions {
  client: BaseOptions;
  names: GroupNames;
  atOnce: number;
  offsets: GroupOffsets;
  log: Logger;
  timer: Timer;
  keyOf(held: Held): string;
  /** Comes back true when the record is done with, in whatever way; false where it was given up. `stopping` ends waits between attempts. Never throws. */
  handle(held: Held, stopping: AbortSignal): Promise<boolean>;
}

/**
 * One consumer of a group. Of each partition it fetches more only when it has less than `atOnce` of it left, and commits
 * the lowest offset that is not handled; what was handled behind that comes again after a crash.
 */
export async function startGroupConsumer({ client, names, atOnce, offsets, log, timer, keyOf, handle }: GroupConsumerOptions): Promise<GroupConsumer> {
  const stopping = new AbortController();
  const owned = new Map<string, Owned>();
  const keyOfPartition = (topic: string, partition: number): string => `${topic}:${partition}`;
  const first = Promise.withResolvers<void>();
  /** When a handler that does not heed its signal is waited for no longer. */
  const abandoned = Promise.withResolvers<void>();
  /** Counts assignments, so that one that is over is not begun. */
  let assignment = 0;
  let member: Member | undefined;
  let committing: Promise<void> | undefined;

  const work = keyedWork<{ held: Held; owner: Owned }>(atOnce, async ({ held, owner }) => {
    if (held.abandoned.aborted) return;
    const done = await handle(held, stopping.signal);
    if (!done || held.abandoned.aborted) return;
    owner.open.delete(held.offset);
    if (owner.open.size < atOnce) fetching.wake();
    commitSoon();
  });

  const fetching = startFetching({
    client, group: names.group, topics: [names.events, names.redrive], log, timer, take,
    wanted() {
      const its = stopping.signal.aborted ? [] : [...owned.values()];
      const positions = its.filter(({ open }) => open.size < atOnce).map(({ topic, partition, position }) => ({ topic, partition, offset: position }));
      return { positions, all: positions.length === its.length };
    },
    async gone(at) {
      const owner = owned.get(keyOfPartition(at.topic, at.partition));
      if (owner?.position !== at.offset) return;
      const found = (await offsets.at([{ topic: at.topic, partitions: [at.partition] }], earliest)).get(at.topic)?.get(at.partition);
      log.error({ group: names.group, topic: at.topic, partition: at.partition, offset: at.offset.toString(), next: found?.toString() }, "messages were deleted before this group had them; it goes on with the oldest that is there");
      if (found === undefined) return;
      owner.position = found;
      owner.committed = -1n; // what was committed may lie behind the end of a topic that was made anew
    },
  });

  function take(at: Position, batches: readonly RecordsBatch[]): void {
    const owner = owned.get(keyOfPartition(at.topic, at.partition));
    // What was asked for under an earlier assignment is asked for again.
    if (stopping.signal.aborted || owner?.position !== at.offset) return;
    for (const batch of batches) {
      for (const { offset, record } of recordsFrom(batch, owner.position)) {
        const held: Held = { topic: at.topic, partition: at.partition, offset, record, abandoned: owner.abandon.signal };
        owner.open.add(offset);
        work.add(keyOf(held), { held, owner });
      }
      if (endOf(batch) > owner.position) owner.position = endOf(batch);
    }
  }

  /** Before it everything is handled. */
  const handledUpTo = ({ open, position }: Owned): bigint => open.values().next().value ?? position;

  function toCommit(): { owner: Owned; entry: CommitOptionsPartition }[] {
    return [...owned.values()].flatMap((owner) => {
      const offset = handledUpTo(owner);
      return offset > owner.committed ? [{ owner, entry: { topic: owner.topic, partition: owner.partition, offset, leaderEpoch: -1 } }] : [];
    });
  }

  function commitSoon(): void {
    committing ??= timer.sleep(commitMs, stopping.signal).then(commitAll).finally(() => {
      committing = undefined;
      if (!stopping.signal.aborted && toCommit().length > 0) commitSoon();
    });
  }

  async function commitAll(): Promise<void> {
    const entries = toCommit();
    if (entries.length === 0 || member === undefined) return;
    try {
      if (!(await member.commit(entries.map(({ entry }) => entry)))) return;
      for (const { owner, entry } of entries) owner.committed = entry.offset;
    } catch (error) {
      log.warn({ group: names.group, err: error }, "what is handled could not be committed; it is tried again, and may come again");
      await timer.sleep(restMs, stopping.signal);
    }
  }

  async function release(): Promise<void> {
    assignment += 1;
    if (owned.size === 0) return;
    work.hold();
    work.clear();
    await atMost(releaseMs, work.idle());
    for (const owner of owned.values()) owner.abandon.abort();
    await atMost(lastCommitMs, Promise.resolve(committing).then(commitAll));
    owned.clear();
    work.go();
  }

  async function assigned(partitions: readonly Partitions[]): Promise<void> {
    const mine = (assignment += 1);
    while (mine === assignment && !stopping.signal.aborted) {
      try {
        const [committed, start] = await Promise.all([offsets.committed(names.group, partitions), offsets.at(partitions, earliest)]);
        if (mine !== assignment) return;
        for (const { topic, partitions: its } of partitions) {
          for (const partition of its) {
            // Nothing committed: a partition that was added later, of which nothing may be missed.
            const position = committed.get(topic)?.get(partition) ?? start.get(topic)?.get(partition) ?? 0n;
            owned.set(keyOfPartition(topic, partition), { topic, partition, position, committed: position, open: new Set(), abandon: new AbortController() });
          }
        }
        first.resolve();
        fetching.wake();
        return;
      } catch (error) {
        log.warn({ group: names.group, err: error }, "Kafka does not say how far the group is; asking again");
        await timer.sleep(restMs, stopping.signal);
      }
    }
  }

  function abandonAll(): void {
    for (const owner of owned.values()) owner.abandon.abort();
    void atMost(releaseMs, work.idle()).then(abandoned.resolve);
  }

  async function end(abandon: boolean): Promise<void> {
    stopping.abort();
    work.hold();
    work.clear();
    if (abandon) abandonAll();
    await Promise.all([fetching.stop(), Promise.race([work.idle(), abandoned.promise])]);
    await atMost(lastCommitMs, Promise.resolve(committing).then(commitAll));
    assignment += 1;
    owned.clear();
    await member?.leave();
  }

  let ending: Promise<void> | undefined;
  try {
    member = await joinGroup({ client, group: names.group, topics: [names.events, names.redrive], log, timer, release, assigned: (partitions) => void assigned(partitions) });
    await first.promise;
  } catch (error) {
    await end(true);
    throw error;
  }
  return {
    stop: () => (ending ??= end(false)),
    async abandon() {
      if (ending !== undefined) abandonAll();
      await (ending ??= end(true));
    },
  };
}
