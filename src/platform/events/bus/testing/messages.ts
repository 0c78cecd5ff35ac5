import { randomBytes } from "node:crypto";
import { systemClock, timestamp } from "../../../clock.ts";
import { createIds } from "../../../ids.ts";
import { until } from "../../testing.ts";
import type { BusMessage, Consumer, ConsumerOptions, Delivered, EventBus } from "../types.ts";

const ids = createIds(systemClock);
const orgId = ids.uuid();

/** A name that no other test has. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString("hex")}`;
}

/** Events as the log appends them: of the types `<topic>.*`, the stream as key, versions of a stream from 1. */
export interface Topic {
  name: string;
  /** `names` are keys, a message each in that order: `["a", "b", "a"]` gives a1, b1 and a2. */
  messages(names: readonly string[], data?: Record<string, unknown>): BusMessage[];
}

export function newTopic(): Topic {
  const name = uniqueName("contract");
  const versions = new Map<string, number>();
  return {
    name,
    messages: (names, data = {}) => names.map((word) => {
      const version = (versions.get(word) ?? 0) + 1;
      versions.set(word, version);
      const stream = `${word}-${name}`;
      return {
        topic: name, key: stream,
        event: {
          specversion: "1.0", id: ids.uuid(), source: `urn:qinfra:${name}`, type: `${name}.happened`, subject: `${word}${version}`, time: timestamp(systemClock),
          datacontenttype: "application/json", data, orgid: orgId, actor: "system", operation: "test.append", requestid: "req_1", door: "http", ai: false, stream, version,
        },
      };
    }),
  };
}

/** One message whose event is that many bytes of JSON. */
export function messageOf(topic: Topic, bytes: number): BusMessage {
  const [message] = topic.messages(["large"], { text: "" }) as [BusMessage];
  const { event } = message;
  return { ...message, event: { ...event, data: { text: "x".repeat(bytes - Buffer.byteLength(JSON.stringify(event))) } } };
}

export const subjectsOf = (messages: readonly BusMessage[]): string[] => messages.map(({ event }) => event.subject);

/** Subjects by key, in the order given. */
export function byKey(messages: readonly BusMessage[]): Record<string, string[]> {
  const keys: Record<string, string[]> = {};
  for (const { key, event } of messages) (keys[key] ??= []).push(event.subject);
  return keys;
}

/** A consumer that notes what it was given, and what it has handled. */
export interface Reader extends Consumer {
  given: Delivered[];
  handled: Delivered[];
  /** Until so many are handled. */
  has(count: number): Promise<void>;
}

export async function readerOf(bus: EventBus, topic: Topic, options: Partial<ConsumerOptions> = {}): Promise<Reader> {
  const given: Delivered[] = [];
  const handled: Delivered[] = [];
  const consumer = await bus.consume({
    topic: topic.name, group: "readers", from: "start", baseMs: 1, ...options,
    async handle(message, signal) {
      given.push(message);
      await options.handle?.(message, signal);
      handled.push(message);
    },
  });
  return { given, handled, stop: () => consumer.stop(), has: (count) => until(() => handled.length >= count) };
}
