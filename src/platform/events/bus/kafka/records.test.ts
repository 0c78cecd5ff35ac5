import type { KafkaRecord } from "@platformatic/kafka";
import { describe, expect, it } from "vitest";
import { newTopic } from "../testing/messages.ts";
import { deadLetterIn, deadRecord, messageIn, recordOf, redrivenIn, tombstone, type OutRecord } from "./records.ts";

/** As a broker gives it back. */
function stored({ key, value, headers }: OutRecord): KafkaRecord {
  return { length: 0, attributes: 0, timestampDelta: 0n, offsetDelta: 0, key: key ?? null, value: value ?? null, headers: headers instanceof Map ? [...headers] : [] };
}

describe("records in Kafka", () => {
  const topic = newTopic();
  const [message] = topic.messages(["a"], { words: ["ä", "€"] });
  if (message === undefined) throw new Error("no message");

  it("are CloudEvents in structured mode", () => {
    const record = recordOf("qinfra.t", message);
    expect(record.key?.toString()).toBe(message.key);
    expect(JSON.parse(String(record.value))).toEqual(message.event);
    expect([...(record.headers as Map<Buffer, Buffer>)].map(([key, value]) => `${String(key)}: ${String(value)}`)).toEqual(["content-type: application/cloudevents+json; charset=UTF-8"]);
    expect(messageIn(topic.name, stored(record))).toEqual(message);
    expect(redrivenIn(stored(record))).toBeUndefined();
  });

  it("say what a dead letter is given again for", () => {
    const redriven = { id: "3:7", offset: "3:7", attempts: 5 };
    expect(redrivenIn(stored(recordOf("qinfra.t.redrive.g", message, redriven)))).toEqual(redriven);
  });

  it("keep a dead letter whole, until its tombstone", () => {
    const letter = { id: "3:7", message, attempts: 5, reason: "Error: der Fehler — ä", at: "2026-11-21T00:00:00.000Z" };
    expect(deadLetterIn(topic.name, stored(deadRecord("qinfra.t.dead.g", letter)))).toEqual(letter);
    expect(deadLetterIn(topic.name, stored(tombstone("qinfra.t.dead.g", letter.id)))).toBeUndefined();
  });

  it.each(["", "no JSON", "null", "7", "{}", "[]"])("are no message where another program wrote %j", (text) => {
    expect(messageIn(topic.name, stored({ topic: "qinfra.t", key: Buffer.from("a"), value: Buffer.from(text) }))).toBeUndefined();
  });
});
