import type { Admin } from "@platformatic/kafka";
import type { Timer } from "../../timer.ts";
import { answerOf, saysKafka } from "./clients.ts";

/** Partitions of a topic of events: at most as many consumers of a group have something to do. */
const partitionsOfEvents = 6;
/** Kafka tells its brokers of a new topic a little after it has said that it is there (ms). */
const [askAgainMs, settleMs] = [50, 15_000];

export type TopicKind = "events" | "redrive" | "dead";

const kinds: Record<TopicKind, { partitions: number; configs: { name: string; value: string }[] }> = {
  // The leader's time: a consumer that begins at an offset finds the same moment in the other partitions by it.
  events: { partitions: partitionsOfEvents, configs: [{ name: "message.timestamp.type", value: "LogAppendTime" }] },
  redrive: { partitions: 1, configs: [] },
  dead: { partitions: 1, configs: [{ name: "cleanup.policy", value: "compact" }] },
};

export interface Topics {
  /** Makes it where it is not there, with the brokers' own replication, and comes back when it can be written to. */
  ensure(name: string, kind: TopicKind): Promise<void>;
  /** 0 where there is no such topic. */
  partitions(name: string): Promise<number>;
  /** Where a topic that was ensured turns out not to be there: it was deleted, or a broker has not heard of it yet. */
  ensureAgain(names: readonly string[]): Promise<void>;
}

export function kafkaTopics(admin: Admin, timer: Timer): Topics {
  const ensured = new Map<string, { kind: TopicKind; made: Promise<void> }>();

  async function partitions(name: string): Promise<number> {
    try {
      const { topics } = await answerOf(`say what partitions ${name} has`, admin.metadata({ topics: [name], forceUpdate: true, retries: 0 }));
      const topic = topics.get(name);
      return topic?.partitions.every(({ leader }) => leader >= 0) === true ? topic.partitionsCount : 0;
    } catch (error) {
      if (saysNoTopic(error)) return 0;
      throw error;
    }
  }

  async function make(name: string, kind: TopicKind): Promise<void> {
    if ((await partitions(name)) > 0) return;
    const { partitions: count, configs } = kinds[kind];
    try {
      await answerOf(`make the topic ${name}`, admin.createTopics({ topics: [name], partitions: count, configs: configs.map((config) => ({ ...config })) }));
    } catch (error) {
      if (!saysKafka(error, "TOPIC_ALREADY_EXISTS")) throw error;
    }
    for (let waited = 0; waited < settleMs; waited += askAgainMs) {
      if ((await partitions(name)) > 0) return;
      await timer.sleep(askAgainMs);
    }
    await answerOf(`make the topic ${name}`, Promise.reject(new Error(`it has no leader after ${settleMs / 1_000} s`)));
  }

  async function ensure(name: string, kind: TopicKind): Promise<void> {
    let topic = ensured.get(name);
    if (topic === undefined) {
      topic = { kind, made: make(name, kind) };
      ensured.set(name, topic);
      topic.made.catch(() => ensured.delete(name));
    }
    await topic.made;
  }

  return {
    partitions, ensure,
    async ensureAgain(names) {
      for (const name of names) {
        const kind = ensured.get(name)?.kind ?? "events";
        ensured.delete(name);
        await ensure(name, kind);
      }
    },
  };
}

/** The client's own words for it where it asks for metadata, Kafka's elsewhere. */
export function saysNoTopic(error: unknown): boolean {
  if (saysKafka(error, "UNKNOWN_TOPIC_OR_PARTITION")) return true;
  return error instanceof Error && (error.message.startsWith("Unknown topic ") || (error.cause !== undefined && saysNoTopic(error.cause)));
}
