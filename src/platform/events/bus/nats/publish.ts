import type { MsgHdrs } from "@nats-io/transport-node";
import { JetStreamApiError, PubHeaders } from "@nats-io/jetstream";
import type { BusMessage } from "../types.ts";
import { unavailable, type Connection } from "./connection.ts";
import { subjectOf } from "./names.ts";
import { headersOf, payloadOf } from "./wire.ts";

// The server takes a thousand messages in an atomic batch; fewer bytes than its memory for open batches.
const mostMessages = 500;
const mostBytes = 8 * 1024 * 1024;
const keysAtOnce = 64;

interface Outgoing {
  message: BusMessage;
  subject: string;
  payload: string;
}

/**
 * In atomic batches: all of a batch is stored, or nothing, so that a broken connection leaves no gap in a key that a
 * second try would fill too late. A batch that the server refuses (it refuses one with a message it has already) goes
 * message by message, each key in order, and what is there already is not stored again.
 * Errors: BusUnavailable.
 */
export async function publish(connection: Connection, messages: readonly BusMessage[]): Promise<void> {
  try {
    for (const batch of batchesOf(messages.map(outgoing))) {
      if (batch.length > 1 && (await together(connection, batch))) continue;
      await oneByOne(connection, batch);
    }
  } catch (error) {
    unavailable(connection.where, error);
  }
}

function outgoing(message: BusMessage): Outgoing {
  return { message, subject: subjectOf(message.topic, message.key), payload: payloadOf(message) };
}

function identified(message: BusMessage): MsgHdrs {
  return headersOf(message, { [PubHeaders.MsgIdHdr]: `${message.topic}/${message.event.id}` });
}

function batchesOf(messages: readonly Outgoing[]): Outgoing[][] {
  const batches: Outgoing[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const last = batches.at(-1);
    bytes += message.payload.length;
    if (last !== undefined && last.length < mostMessages && bytes < mostBytes) last.push(message);
    else {
      batches.push([message]);
      bytes = message.payload.length;
    }
  }
  return batches;
}

/** False where the server has refused the batch and stored nothing of it. */
async function together({ js }: Connection, messages: readonly Outgoing[]): Promise<boolean> {
  const [first, ...rest] = messages;
  const last = rest.pop();
  if (first === undefined || last === undefined) return false;
  try {
    const batch = await js.startBatch(first.subject, first.payload, { headers: identified(first.message) });
    for (const { subject, payload, message } of rest) batch.add(subject, payload, { headers: identified(message) });
    await batch.commit(last.subject, last.payload, { headers: identified(last.message) });
    return true;
  } catch (error) {
    if (error instanceof JetStreamApiError) return false;
    // At the end the library says only that the count is not the batch's, whatever the server's reason was.
    if (error instanceof Error && error.message.startsWith("batch didn't contain")) return false;
    throw error;
  }
}

async function oneByOne({ js }: Connection, messages: readonly Outgoing[]): Promise<void> {
  const lanes = [...Map.groupBy(messages, ({ message }) => `${message.topic}/${message.key}`).values()];
  const work = async (): Promise<void> => {
    for (let lane = lanes.pop(); lane !== undefined; lane = lanes.pop()) {
      for (const { subject, payload, message } of lane) await js.publish(subject, payload, { headers: identified(message) });
    }
  };
  await Promise.all(Array.from({ length: Math.min(keysAtOnce, lanes.length) }, work));
}
