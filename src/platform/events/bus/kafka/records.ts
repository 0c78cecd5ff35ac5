import type { KafkaRecord, MessageToProduce } from "@platformatic/kafka";
import type { CloudEvent } from "../../cloud-event.ts";
import { parseCloudEvent } from "../../cloud-event.ts";
import type { BusMessage, DeadLetter } from "../types.ts";

export type OutRecord = MessageToProduce;

/** What a dead letter is sent once more with. */
export interface Redriven {
  id: string;
  /** Where the original lies in the topic of the events. */
  offset: string;
  /** Attempts before. */
  attempts: number;
}

const contentType = "application/cloudevents+json; charset=UTF-8";

/** CloudEvents 1.0, Kafka protocol binding, structured mode. */
export function recordOf(topic: string, message: BusMessage, redriven?: Redriven): OutRecord {
  const extra = redriven === undefined ? {} : { "qinfra-id": redriven.id, "qinfra-offset": redriven.offset, "qinfra-attempts": String(redriven.attempts) };
  return { topic, key: Buffer.from(message.key), value: Buffer.from(JSON.stringify(message.event)), headers: headers(extra) };
}

/** Undefined where it is no event in structured mode, which only another program can have written. */
export function messageIn(topic: string, record: KafkaRecord): BusMessage | undefined {
  const event = eventIn(record);
  return event === undefined ? undefined : { topic, key: record.key?.toString() ?? event.stream, event };
}

export function redrivenIn(record: KafkaRecord): Redriven | undefined {
  const { "qinfra-id": id, "qinfra-offset": offset, "qinfra-attempts": attempts } = headersOf(record);
  return id === undefined || offset === undefined ? undefined : { id, offset, attempts: Number(attempts ?? 0) };
}

export function deadRecord(topic: string, letter: DeadLetter): OutRecord {
  return {
    topic, key: Buffer.from(letter.id), value: Buffer.from(JSON.stringify(letter.message.event)),
    headers: headers({ "qinfra-key": letter.message.key, "qinfra-attempts": String(letter.attempts), "qinfra-reason": letter.reason, "qinfra-at": letter.at }),
  };
}

/** After it the dead letter is gone: a compacted topic forgets a key whose last record is empty. */
export function tombstone(topic: string, id: string): OutRecord {
  return { topic, key: Buffer.from(id) };
}

export function deadLetterIn(topic: string, record: KafkaRecord): DeadLetter | undefined {
  const event = eventIn(record);
  if (event === undefined) return undefined;
  const { "qinfra-key": key, "qinfra-attempts": attempts, "qinfra-reason": reason, "qinfra-at": at } = headersOf(record);
  return { id: record.key?.toString() ?? "", message: { topic, key: key ?? event.stream, event }, attempts: Number(attempts ?? 0), reason: reason ?? "", at: at ?? event.time };
}

/** Bytes that it takes in a batch, a little more than it really does. */
export function sizeOf(record: OutRecord): number {
  let bytes = 64 + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  if (record.headers instanceof Map) for (const [key, value] of record.headers) bytes += key.length + value.length + 8;
  return bytes;
}

function eventIn(record: KafkaRecord): CloudEvent | undefined {
  if (record.value === null) return undefined;
  try {
    const event: unknown = parseCloudEvent(record.value.toString());
    return typeof event === "object" && event !== null && "specversion" in event ? (event as CloudEvent) : undefined;
  } catch {
    return undefined;
  }
}

function headers(extra: Record<string, string>): Map<Buffer, Buffer> {
  return new Map(Object.entries({ "content-type": contentType, ...extra }).map(([key, value]) => [Buffer.from(key), Buffer.from(value)]));
}

function headersOf(record: KafkaRecord): Record<string, string | undefined> {
  return Object.fromEntries(record.headers.map(([key, value]) => [key?.toString() ?? "", value?.toString()]));
}
