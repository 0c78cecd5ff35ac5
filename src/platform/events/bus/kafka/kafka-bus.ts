import { Admin, Producer } from "@platformatic/kafka";
import { DeclaredError } from "../../../errors.ts";
import { systemTimer } from "../../timer.ts";
import { BusUnavailable, type EventBus } from "../types.ts";
import { beginGroup } from "./begin.ts";
import { answerOf, atMost, causeOf, clientOptions, type KafkaOptions } from "./clients.ts";
import { startGroupConsumer, type GroupConsumer } from "./consumer.ts";
import { kafkaDeadLetters } from "./dead-letters.ts";
import { deliverer } from "./deliver.ts";
import { earliest, everyPartition, groupOffsets, latest } from "./group-offsets.ts";
import { eventsTopic, groupNames } from "./names.ts";
import { recordOf } from "./records.ts";
import { kafkaSender } from "./sender.ts";
import { kafkaTopics } from "./topics.ts";

const [closeMs, healthMs] = [10_000, 3_000];

/**
 * The bus on Apache Kafka 3.7 or later. It connects when it is first used, so that a broker that is away keeps nothing from
 * starting; a topic is made when it is first used. Errors: InvalidInput for the address.
 */
export async function openKafkaBus(options: KafkaOptions): Promise<EventBus> {
  const { log, clock, timer = systemTimer, random = () => 0.5 } = options;
  const client = clientOptions(options);
  const admin = new Admin({ ...client });
  const producer = new Producer({ ...client, idempotent: true });
  const topics = kafkaTopics(admin, timer);
  const sender = kafkaSender(producer, topics.ensureAgain);
  const offsets = groupOffsets(admin);
  const letters = kafkaDeadLetters({ client, topics, offsets, sender });
  const consumers = new Set<GroupConsumer>();
  let closing: Promise<void> | undefined;

  function open(): void {
    if (closing !== undefined) throw new DeclaredError(BusUnavailable, "The event bus is closed.");
  }

  async function close(): Promise<void> {
    await Promise.all([...consumers].map((consumer) => consumer.abandon()));
    await atMost(closeMs, sender.close());
    await atMost(closeMs, Promise.all([producer.close(true), admin.close()]));
  }

  return {
    name: "kafka",
    async publish(messages) {
      open();
      const records = messages.map((message) => recordOf(eventsTopic(message.topic), message));
      for (const name of new Set(records.map(({ topic }) => topic))) await topics.ensure(name, "events");
      await sender.send(records);
    },
    async consume({ topic, group, from, replay = false, attempts = 5, baseMs = 250, atOnce = 16, handle }) {
      open();
      const names = groupNames(topic, group);
      await Promise.all([topics.ensure(names.events, "events"), topics.ensure(names.redrive, "redrive"), topics.ensure(names.dead, "dead")]);
      await beginGroup(client, offsets, names, await topics.partitions(names.events), { from, replay });
      const consumer = await startGroupConsumer({
        client, names, atOnce, offsets, log, timer,
        keyOf: ({ record, topic: its, partition }) => record.key?.toString() ?? `${its}:${partition}`,
        handle: deliverer({ topic, names, attempts, baseMs, handle, sender, log, clock, timer, random }),
      });
      if (closing !== undefined) await consumer.abandon();
      open();
      consumers.add(consumer);
      return {
        async stop() {
          await consumer.stop();
          consumers.delete(consumer);
        },
      };
    },
    async deadLetters(topic, group, limit) {
      open();
      return letters.list(topic, group, limit);
    },
    async redrive(topic, group, id) {
      open();
      await letters.redrive(topic, group, id);
    },
    async lag(topic, group) {
      open();
      const names = groupNames(topic, group);
      const both = await Promise.all([names.events, names.redrive].map(async (name) => everyPartition(name, await topics.partitions(name))));
      const [committed, first, end] = await Promise.all([offsets.committed(names.group, both), offsets.at(both, earliest), offsets.at(both, latest)]);
      return both.flatMap(({ topic: name, partitions }) => partitions.map((partition) => {
        const start = first.get(name)?.get(partition) ?? 0n;
        const done = committed.get(name)?.get(partition) ?? start;
        // What retention has deleted is not to be handled any more.
        return Number((end.get(name)?.get(partition) ?? 0n) - (done > start ? done : start));
      })).reduce((sum, lag) => sum + Math.max(0, lag), 0);
    },
    async health() {
      if (closing !== undefined) return "closed";
      try {
        await answerOf("say which brokers there are", admin.metadata({ topics: [], forceUpdate: true, retries: 0 }), healthMs);
        return "ok";
      } catch (error) {
        return `cannot be reached; events wait in the log until it can (${causeOf(error)})`;
      }
    },
    close: () => (closing ??= close()),
  };
}
