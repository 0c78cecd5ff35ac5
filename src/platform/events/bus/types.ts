import { errorType } from "../../errors.ts";
import type { CloudEvent } from "../cloud-event.ts";

// The bus that events go out to, and on which other programs, and consumers of ours that need no transaction, read them.
// Subscriptions between modules do not use it: they read the log in PostgreSQL.

export const BusUnavailable = errorType("bus-unavailable", 503, "The event bus does not answer");

/** An event on the bus: CloudEvents 1.0 in structured mode. */
export interface BusMessage {
  topic: string;
  /** Messages of one key come in the order in which they were published: the stream of the event. */
  key: string;
  event: CloudEvent;
}

export interface Delivered extends BusMessage {
  /** Where it lies in the topic, as this bus writes it; what `from` takes. */
  offset: string;
  /** From 1; more than that where it comes again. */
  attempt: number;
}

export interface ConsumerOptions {
  topic: string;
  /** Each message goes to one consumer of a group; the group remembers how far it is. */
  group: string;
  /**
   * Where a group begins that is new; an offset is that of the first message that comes. Of messages with other keys than
   * that one, older ones may come too. A group that is known goes on where it was, unless `replay` is true.
   */
  from: "new" | "start" | { offset: string };
  /** Takes the group back to `from`; no other consumer of the group may be open. */
  replay?: boolean;
  /** Attempts before a message is put aside as a dead letter, so that those behind it go on. */
  attempts?: number;
  /** First wait between attempts, doubled each time. */
  baseMs?: number;
  /** Messages that this consumer has in hand at most, each of another key; it asks for no more while it has them. */
  atOnce?: number;
  /** A message may come more than once; its event's id tells. The signal aborts when it will come again whatever the answer. */
  handle(message: Delivered, signal: AbortSignal): Promise<void>;
}

export interface Consumer {
  /** Finishes what is in hand and takes no more; what was not handled comes again, to somebody of the group. */
  stop(): Promise<void>;
}

export interface DeadLetter {
  /** Names it among the dead letters of its topic and group. */
  id: string;
  message: BusMessage;
  attempts: number;
  reason: string;
  /** RFC 3339. */
  at: string;
}

/** One adapter a broker; they pass one contract suite, each against the real thing. */
export interface EventBus {
  /** `postgres`, `nats` or `kafka`. */
  name: string;
  /**
   * Comes back when the broker has the messages and will not lose them. May publish twice after a failure.
   * Errors: BusUnavailable.
   */
  publish(messages: readonly BusMessage[]): Promise<void>;
  /** When it comes back the group has begun: what is published from then on comes to it. The topic need not be there yet. */
  consume(options: ConsumerOptions): Promise<Consumer>;
  deadLetters(topic: string, group: string, limit: number): Promise<DeadLetter[]>;
  /**
   * Gives a dead letter to its group once more; it is gone from the dead letters when it is handled, and back
   * among them if it fails again. It waits where nobody of the group is there. Errors: NotFound.
   */
  redrive(topic: string, group: string, id: string): Promise<void>;
  /** Messages of the topic that the group has not handled yet; dead letters are not among them. */
  lag(topic: string, group: string): Promise<number>;
  /** `ok`, or what is wrong, for readiness. Throws nothing. */
  health(): Promise<string>;
  /** Ends the consumers too, and does not wait for what is in hand: its signal aborts, and it comes again. */
  close(): Promise<void>;
}
