import { Consumer, type BaseOptions, type CommitOptionsPartition } from "@platformatic/kafka";
import type { Logger } from "pino";
import type { Timer } from "../../timer.ts";
import { answerOf, atMost } from "./clients.ts";
import type { Partitions } from "./group-offsets.ts";

/** A member that is silent for that long is dead, and others get its partitions (ms). */
const sessionMs = 10_000;
/** How soon it hears that another one has come or gone (ms). */
const heartbeatMs = 1_000;
/** Between attempts to join again, doubled each time (ms). */
const [restMs, mostRestMs] = [500, 10_000];
const leaveMs = 5_000;

export interface MemberOptions {
  client: BaseOptions;
  group: string;
  topics: readonly string[];
  log: Logger;
  timer: Timer;
  /** Ends what is being done: the partitions may go to others. Within half a session. */
  release(): Promise<void>;
  /** These partitions are this member's, until `release`. */
  assigned(partitions: readonly Partitions[]): void;
}

export interface Member {
  /** False where it is not in the group just now. */
  commit(offsets: CommitOptionsPartition[]): Promise<boolean>;
  /** After it the group is without this member. */
  leave(): Promise<void>;
}

/** Joins the group and stays in it, through absent brokers too, until it leaves. Errors: BusUnavailable, where it cannot join the first time. */
export async function joinGroup({ client, group, topics, log, timer, release, assigned }: MemberOptions): Promise<Member> {
  const leaving = new AbortController();
  let current: Consumer | undefined;
  let joining: Promise<void> = Promise.resolve();

  async function join(): Promise<void> {
    const consumer = new Consumer({
      ...client, groupId: group, sessionTimeout: sessionMs, rebalanceTimeout: sessionMs, heartbeatInterval: heartbeatMs, heartbeatStallTimeout: sessionMs,
      // The client asks for this right before each request to join: the one moment at which the old partitions are still ours.
      async protocolsMetadata() {
        if (current === consumer) await release();
        return Buffer.alloc(0);
      },
    });
    for (const topic of topics) consumer.topics.track(topic);
    const lost = (why: string, error: unknown): void => {
      if (current !== consumer) return;
      log.warn({ group, err: error }, `${why}; joining the group again`);
      current = undefined;
      joining = joinAgain(consumer);
    };
    consumer.on("error", (error: Error) => lost("the place in the Kafka group is lost", error));
    consumer.on("consumer:heartbeat:stalled", ({ lastError }) => lost("the Kafka group has heard nothing of us for too long", lastError));
    consumer.on("consumer:group:join", ({ assignments }) => {
      if (current === consumer) assigned(assignments ?? []);
    });
    current = consumer;
    try {
      await answerOf(`let us join the group ${group}`, consumer.joinGroup({}), 60_000);
    } catch (error) {
      current = undefined;
      await atMost(leaveMs, consumer.close(true));
      throw error;
    }
  }

  async function joinAgain(lost: Consumer): Promise<void> {
    await release();
    await atMost(leaveMs, lost.close(true));
    for (let rest = restMs; !leaving.signal.aborted; rest = Math.min(mostRestMs, rest * 2)) {
      try {
        return await join();
      } catch (error) {
        log.debug({ group, err: error }, "the Kafka group cannot be joined yet");
        await timer.sleep(rest, leaving.signal);
      }
    }
  }

  await join();
  return {
    async commit(offsets) {
      if (current === undefined) return false;
      await answerOf(`commit offsets of the group ${group}`, current.commit({ offsets }));
      return true;
    },
    async leave() {
      leaving.abort();
      await atMost(leaveMs, joining);
      const consumer = current;
      current = undefined;
      if (consumer !== undefined) await atMost(leaveMs, consumer.close(true));
    },
  };
}
