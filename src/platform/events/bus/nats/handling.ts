import type { JsMsg } from "@nats-io/jetstream";
import type { Logger } from "pino";
import { timestamp, type Clock } from "../../../clock.ts";
import { backoffMs, type Timer } from "../../timer.ts";
import type { ConsumerOptions, Delivered } from "../types.ts";
import type { Connection } from "./connection.ts";
import { forget, putAside } from "./dead-letters.ts";

export interface MemberPorts {
  connection: Connection;
  log: Logger;
  clock: Clock;
  timer: Timer;
  random(): number;
}

/** A message that a member has, begun or not. */
export interface InHand {
  message: JsMsg;
  delivered: Delivered;
  /** Attempts before it was redriven, where it was. */
  before: number | undefined;
}

/**
 * Gives a message to the handler until it is handled or put aside, and then acknowledges it. When `over` is aborted no
 * further attempt is made; `aborting` is what the handler is given. The count of attempts begins anew with another
 * member: a message that kills its process is not put aside.
 */
export function createHandling(
  ports: MemberPorts, options: ConsumerOptions, signals: { over: AbortSignal; aborting: AbortSignal }, acknowledge: (item: InHand) => void,
): (item: InHand, aside: (wait: Promise<void>) => Promise<void>) => Promise<void> {
  const { connection, log, clock, timer, random } = ports;
  const { topic, group, attempts = 5, baseMs = 250 } = options;
  const { over, aborting } = signals;
  const about = { topic, group };

  async function tried({ delivered }: InHand, failures: number): Promise<Error | undefined> {
    try {
      await options.handle({ ...delivered, attempt: delivered.attempt + failures }, aborting);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  async function done(item: InHand): Promise<void> {
    const forgotten = item.before === undefined || (await insist("forgetting a dead letter", () => forget(connection, topic, group, item.delivered.event.id)));
    if (forgotten) acknowledge(item);
  }

  async function giveUp(item: InHand, failures: number, { message: reason }: Error): Promise<void> {
    const { attempt: _, offset, ...message } = item.delivered;
    const letter = { message, offset, attempts: (item.before ?? 0) + failures, reason, at: timestamp(clock) };
    if (await insist("putting a message aside", () => putAside(connection, group, letter))) acknowledge(item);
  }

  /** Until it is done or all is over; then the message is not acknowledged and comes again. */
  async function insist(what: string, work: () => Promise<void>): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await work();
        return true;
      } catch (error) {
        log.warn({ ...about, err: error, attempt }, `${what} failed; it is tried again`);
        if (over.aborted) return false;
        await timer.sleep(backoffMs(attempt, 250, 10_000, random), over);
      }
    }
  }

  return async (item, aside) => {
    for (let failures = 0; !over.aborted; ) {
      const error = await tried(item, failures);
      if (error === undefined) return done(item);
      if (aborting.aborted) return;
      failures++;
      log.warn({ ...about, err: error, event: item.delivered.event.id, attempt: failures }, "handling a message failed");
      if (failures >= attempts) return aside(giveUp(item, failures, error));
      await aside(timer.sleep(backoffMs(failures, baseMs, 60_000, random), over));
    }
  };
}
