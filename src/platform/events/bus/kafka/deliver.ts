import type { Logger } from "pino";
import { timestamp, type Clock } from "../../../clock.ts";
import { backoffMs, type Timer } from "../../timer.ts";
import type { ConsumerOptions } from "../types.ts";
import type { Held } from "./consumer.ts";
import { offsetText, type GroupNames } from "./names.ts";
import { deadRecord, messageIn, redrivenIn, tombstone } from "./records.ts";
import type { Sender } from "./sender.ts";

const mostBackoffMs = 60_000;

export interface DeliverOptions {
  topic: string;
  names: GroupNames;
  attempts: number;
  baseMs: number;
  handle: ConsumerOptions["handle"];
  sender: Sender;
  log: Logger;
  clock: Clock;
  timer: Timer;
  random(): number;
}

/**
 * Gives a record to its handler until that succeeds; after the last attempt it goes to the dead letters. True when the group
 * is done with it, false where it was given up and comes again. Attempts are counted from 1 again when it does.
 */
export function deliverer({ topic, names, attempts, baseMs, handle, sender, log, clock, timer, random }: DeliverOptions): (held: Held, stopping: AbortSignal) => Promise<boolean> {
  return async (held, stopping) => {
    const message = messageIn(topic, held.record);
    if (message === undefined) {
      log.error({ topic: held.topic, offset: offsetText(held) }, "this is no CloudEvent in JSON, so that no handler can have it; the group goes on with the next");
      return true;
    }
    const ended = AbortSignal.any([held.abandoned, stopping]);
    const redriven = redrivenIn(held.record);
    const offset = redriven?.offset ?? offsetText(held);
    const before = redriven?.attempts ?? 0;
    let reason = "";
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      if (attempt > 1) await timer.sleep(backoffMs(attempt - 1, baseMs, mostBackoffMs, random), ended);
      if (attempt > 1 && ended.aborted) return false;
      try {
        await handle({ ...message, offset, attempt: before + attempt }, held.abandoned);
        return redriven === undefined || settled(() => sender.send([tombstone(names.dead, redriven.id)]), ended);
      } catch (error) {
        if (held.abandoned.aborted) return false;
        reason = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 1_000);
        log.debug({ topic, group: names.group, event: message.event.id, attempt: before + attempt, err: error }, "a message was not handled");
      }
    }
    const letter = { id: redriven?.id ?? offset, message, attempts: before + attempts, reason, at: timestamp(clock) };
    log.error({ topic, group: names.group, event: message.event.id, type: message.event.type, reason }, "a message was put aside; see the dead letters of the group and drive it again when the cause is gone");
    return settled(() => sender.send([deadRecord(names.dead, letter)]), ended);
  };

  /** Until Kafka takes it: the offset is not committed before. */
  async function settled(send: () => Promise<void>, ended: AbortSignal): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await send();
        return true;
      } catch (error) {
        log.warn({ group: names.group, err: error }, "Kafka does not take what became of a message; trying again");
        await timer.sleep(backoffMs(attempt, 250, 10_000, random), ended);
        if (ended.aborted) return false;
      }
    }
  }
}
