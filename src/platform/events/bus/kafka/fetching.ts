import { Consumer, FetchIsolationLevels, type BaseOptions, type FetchOptions, type RecordsBatch } from "@platformatic/kafka";
import type { Logger } from "pino";
import { createBell, type Timer } from "../../timer.ts";
import { atMost, causeOf } from "./clients.ts";
import { offsetOutOfRange } from "./protocol.ts";

/** How long a broker waits for something new (ms), and how long while a partition is left out, which is to be asked for soon. */
const [waitMs, shortMs] = [500, 20];
const partitionBytes = 262_144;
const mostBytes = 2_097_152;
const restMs = 500;

export interface Position {
  topic: string;
  partition: number;
  offset: bigint;
}

export interface FetchingOptions {
  client: BaseOptions;
  group: string;
  topics: readonly string[];
  log: Logger;
  timer: Timer;
  /** What to fetch next; `all` is false where partitions are left out for now. */
  wanted(): { positions: Position[]; all: boolean };
  /** What lies at a position that was wanted when it was asked for. */
  take(at: Position, batches: readonly RecordsBatch[]): void;
  /** Retention has deleted what lay there, or the topic was made anew. */
  gone(at: Position): Promise<void>;
}

export interface Fetching {
  /** Something else is wanted now. */
  wake(): void;
  stop(): Promise<void>;
}

/** Asks each broker that leads wanted partitions, one request at a time, over connections of its own: a fetch keeps one busy. */
export function startFetching({ client, group, topics, log, timer, wanted, take, gone }: FetchingOptions): Fetching {
  const reader = new Consumer({ ...client, groupId: group, isolationLevel: FetchIsolationLevels.READ_UNCOMMITTED });
  reader.on("error", () => undefined);
  for (const topic of topics) reader.topics.track(topic);
  const stopping = new AbortController();
  const bell = createBell(timer);
  const busy = new Set<number>();
  let failing = false;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await ask();
      } catch (error) {
        await failed(error);
      }
      await bell.wait(waitMs, stopping.signal);
    }
  }

  async function ask(): Promise<void> {
    const { positions, all } = wanted();
    if (positions.length === 0) return;
    const metadata = await reader.metadata({ topics: [...topics] });
    const byLeader = Map.groupBy(positions, ({ topic, partition }) => metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1);
    for (const [node, its] of byLeader) {
      if (node < 0 || busy.has(node)) continue;
      busy.add(node);
      const ids = new Map(topics.map((topic) => [metadata.topics.get(topic)?.id ?? "", topic]));
      void fetchFrom(node, its, ids, all ? waitMs : shortMs).finally(() => {
        busy.delete(node);
        bell.ring();
      });
    }
  }

  async function fetchFrom(node: number, positions: Position[], ids: Map<string, string>, maxWaitTime: number): Promise<void> {
    const find = (topicId: string, partition: number): Position | undefined => positions.find((position) => position.topic === ids.get(topicId) && position.partition === partition);
    const idOf = new Map([...ids].map(([id, topic]) => [topic, id]));
    const request: FetchOptions<Buffer, Buffer, Buffer, Buffer>["topics"] = positions.map(({ topic, partition, offset }) => ({
      topicId: idOf.get(topic) ?? "", partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: partitionBytes, currentLeaderEpoch: -1, lastFetchedEpoch: -1 }],
    }));
    try {
      const { responses } = await reader.fetch({ node, topics: request, maxWaitTime, minBytes: 1, maxBytes: mostBytes });
      for (const { topicId, partitions } of responses) {
        for (const { partitionIndex, records } of partitions) {
          const at = find(topicId, partitionIndex);
          if (at !== undefined && records !== null && records !== undefined && records.length > 0) take(at, records);
        }
      }
      if (failing) log.info({ group }, "Kafka gives messages again");
      failing = false;
    } catch (error) {
      const lost = outOfRange(error).flatMap(([topicId, partition]) => find(topicId, partition) ?? []);
      try {
        for (const at of lost) await gone(at);
        if (lost.length === 0) await failed(error);
      } catch (again) {
        await failed(again);
      }
    }
  }

  async function failed(error: unknown): Promise<void> {
    if (stopping.signal.aborted) return;
    if (!failing) log.warn({ group, err: error }, `Kafka gives no messages (${causeOf(error)}); asking again until it does`);
    failing = true;
    reader.clearMetadata();
    await timer.sleep(restMs, stopping.signal);
  }

  const running = run();
  return {
    wake: () => bell.ring(),
    async stop() {
      stopping.abort();
      await atMost(5_000, reader.close(true));
      await running;
    },
  };
}

type FetchResponse = Awaited<ReturnType<Consumer["fetch"]>>;

/** Topic id and partition of each that the answer refuses so. */
function outOfRange(error: unknown): [string, number][] {
  if (!(error instanceof Error)) return [];
  const response = "response" in error ? (error.response as FetchResponse | undefined) : undefined;
  if (response === undefined) return error instanceof AggregateError ? outOfRange(error.errors.at(-1)) : [];
  return response.responses.flatMap(({ topicId, partitions }) => partitions.filter(({ errorCode }) => errorCode === offsetOutOfRange).map(({ partitionIndex }): [string, number] => [topicId, partitionIndex]));
}
