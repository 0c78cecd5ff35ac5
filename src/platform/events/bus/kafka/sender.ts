import type { Producer } from "@platformatic/kafka";
import { TooLarge, fail } from "../../../errors.ts";
import { answerOf } from "./clients.ts";
import { sizeOf, type OutRecord } from "./records.ts";
import { saysNoTopic } from "./topics.ts";

/** A partition's share of one request is one batch, which a broker takes up to 1 MiB (`message.max.bytes`). */
const mostBytes = 900_000;
const mostRecords = 5_000;
/** The client ends its attempts itself, long before: a request that were given up while it goes on could land after later ones. */
const sendMs = 300_000;

export interface Sender {
  /** Comes back when every replica that is in sync has them. In order: of one call, and of calls one after the other. Errors: BusUnavailable, TooLarge. */
  send(records: readonly OutRecord[]): Promise<void>;
  close(): Promise<void>;
}

interface Call {
  open: number;
  failed: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

interface Waiting {
  record: OutRecord;
  bytes: number;
  call: Call;
}

/**
 * One request at a time, with all that waits, up to the size of a batch: requests that overtake each other when one is
 * tried again would change the order of a key.
 */
export function kafkaSender(producer: Producer, noTopic: (names: string[]) => Promise<void>): Sender {
  let waiting: Waiting[] = [];
  let sending: Promise<void> | undefined;

  async function sendAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = nextBatch(waiting);
      try {
        await request(batch.map(({ record }) => record));
        for (const { call } of batch) if (--call.open === 0) call.resolve();
      } catch (error) {
        for (const { call } of batch) {
          call.failed = true;
          call.reject(error);
        }
        // The rest of such a call would come before what its caller publishes again.
        waiting = waiting.filter(({ call }) => !call.failed);
      }
    }
    sending = undefined;
  }

  async function request(records: OutRecord[]): Promise<void> {
    const send = (): Promise<unknown> => answerOf("take messages", producer.send({ messages: records }), sendMs);
    try {
      await send();
    } catch (error) {
      if (!saysNoTopic(error)) throw error;
      await noTopic([...new Set(records.map(({ topic }) => topic))]);
      await send();
    }
  }

  return {
    send(records) {
      if (records.length === 0) return Promise.resolve();
      const sizes = records.map(sizeOf);
      const tooLarge = sizes.findIndex((bytes) => bytes > mostBytes);
      if (tooLarge >= 0) fail(TooLarge, `A message for ${records[tooLarge]?.topic} has ${sizes[tooLarge]} bytes; the bus takes ${mostBytes}. Put its data into a blob and name the blob.`);
      return new Promise((resolve, reject) => {
        const call: Call = { open: records.length, failed: false, resolve, reject };
        records.forEach((record, index) => waiting.push({ record, bytes: sizes[index] ?? 0, call }));
        sending ??= sendAll();
      });
    },
    async close() {
      await sending;
    },
  };
}

function nextBatch(waiting: Waiting[]): Waiting[] {
  let bytes = 0;
  let count = 0;
  while (count < waiting.length && count < mostRecords) {
    bytes += waiting[count]?.bytes ?? 0;
    if (count > 0 && bytes > mostBytes) break;
    count += 1;
  }
  return waiting.splice(0, count);
}
