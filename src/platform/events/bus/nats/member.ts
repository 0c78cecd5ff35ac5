import type { ConsumerInfo, ConsumerMessages, JsMsg } from "@nats-io/jetstream";
import { backoffMs } from "../../timer.ts";
import type { Consumer, ConsumerOptions } from "../types.ts";
import { answerMs, within } from "./connection.ts";
import { ackWaitMs, memberMs, pinnedOf, windowSize } from "./group.ts";
import { createHandling, type InHand, type MemberPorts } from "./handling.ts";
import { createLanes } from "./lanes.ts";
import { headerOf, members, stream } from "./names.ts";
import { decode, read } from "./wire.ts";

/** A consumer that `close` can end without waiting for handlers that do not end by themselves. */
export interface Member extends Consumer {
  /** Aborts what is in hand, then stops. */
  abort(): Promise<void>;
}

const stopMs = 30_000;
const patienceMs = 2_000;

/**
 * A member of a group. One member of a group works on a topic at a time, the others stand by: the server pins it
 * (priority policy `pinned_client`). It hands messages to its handler by key. Order of each key holds so long as the
 * member does; when it stops, it gives back what it has not begun, in order, and the next member goes on there. When it
 * is killed or cut off, or the server was, the next one (after 10 s at most) begins again behind the last message of
 * which all before are handled: up to `windowSize` messages may come again, in order. A member that was cut off finishes
 * what it has in hand, which another may have at the same time.
 *
 * How it knows: a consumer's deliveries are numbered. One that does not follow the last means that something was
 * delivered to somebody else, or lost on the way; then what is not acknowledged is begun again by a reset (ADR-60 of
 * NATS), before anything behind it is handled.
 */
export function startMember(ports: MemberPorts, group: ConsumerInfo, options: ConsumerOptions): Member {
  const { connection, log, timer, random } = ports;
  const { topic, atOnce = 16 } = options;
  const about = { topic, group: options.group };
  const stopping = new AbortController();
  const aborting = new AbortController();

  /** As long as the connection is whole, nobody else works and no delivery is missing. */
  async function follow(): Promise<void> {
    const over = new AbortController();
    const held = new Map<number, InHand>();
    const lanes = createLanes<InHand>(atOnce, createHandling(ports, options, { over: over.signal, aborting: aborting.signal }, acknowledge));
    let pin: string | undefined;
    let next: number | undefined;
    let reset = false;

    function acknowledge(item: InHand): void {
      const { seq } = item.message;
      (held.get(seq) ?? item).message.ack();
      held.delete(seq);
    }

    function take(message: JsMsg): void {
      const { seq } = message;
      const again = held.get(seq);
      if (again !== undefined) return void (again.message = message);
      const decoded = decode(message);
      if (decoded === undefined) {
        log.error({ ...about, offset: seq }, "a message on the bus is no CloudEvent; it is left out");
        return message.term("not a CloudEvent");
      }
      const before = read(message.headers, headerOf.attempts);
      const item = { message, before: before === undefined ? undefined : Number(before), delivered: { ...decoded, offset: String(seq), attempt: Number(before ?? 0) + message.info.deliveryCount } };
      held.set(seq, item);
      lanes.add(decoded.key, item);
    }

    /** Whether deliveries that are not acknowledged are with somebody else, or nowhere. */
    async function missing(from: number): Promise<boolean> {
      const { num_ack_pending: pending, delivered } = await connection.manager.consumers.info(stream, group.name);
      return pending > delivered.consumer_seq - from + 1;
    }

    function drop(): void {
      for (const { message } of lanes.clear()) held.delete(message.seq);
    }

    const messages = await connection.js.consumers.getConsumerFromInfo(group).consume({ max_messages: windowSize, expires: memberMs / 2, idle_heartbeat: memberMs / 4, group: members });
    const end = (): void => {
      over.abort();
      messages.stop();
    };
    const forgetLost = connection.onLost(end);
    stopping.signal.addEventListener("abort", end, { once: true });
    const working = setInterval(() => {
      for (const { message } of held.values()) message.working();
    }, ackWaitMs / 3);
    const unpinned = watchPin(messages, () => {
      next = undefined;
      drop();
    });
    if (stopping.signal.aborted) end();
    const late: JsMsg[] = [];
    try {
      for await (const message of messages) {
        if (over.signal.aborted) {
          late.push(message);
          continue;
        }
        const number = message.info.deliverySequence;
        pin = message.headers?.get("Nats-Pin-Id") ?? pin;
        if (number !== next && !(next === undefined && number === 1)) {
          drop();
          if (await missing(number)) {
            reset = true;
            break;
          }
        }
        next = number + 1;
        take(message);
      }
    } finally {
      end();
      forgetLost();
      stopping.signal.removeEventListener("abort", end);
      const begun = new Set(held.keys());
      const back = lanes.clear().map(({ message }) => message);
      for (const { seq } of back) begun.delete(seq);
      await settled(lanes.settled());
      clearInterval(working);
      await unpinned;
      const left = [...held.values()].filter(({ message }) => begun.has(message.seq)).map(({ message }) => message);
      await handOver([...back, ...left, ...late], pin, reset);
    }
  }

  /** What is in hand is finished; a handler that does not end in time is told to, and then left. */
  async function settled(all: Promise<void>): Promise<void> {
    const timely = new AbortController();
    const finished = all.then(() => timely.abort());
    await Promise.race([finished, timer.sleep(stopMs, AbortSignal.any([timely.signal, aborting.signal]))]);
    if (timely.signal.aborted) return;
    if (stopping.signal.aborted) aborting.abort();
    await Promise.race([finished, timer.sleep(patienceMs, timely.signal)]);
  }

  /** Gives back in order what this member has and did not handle, and its pin. Only the member that is pinned may. */
  async function handOver(back: readonly JsMsg[], pin: string | undefined, reset: boolean): Promise<void> {
    const { nats, manager } = connection;
    try {
      await Promise.race([connection.whole(), timer.sleep(memberMs, stopping.signal)]);
      if (!connection.isWhole()) return;
      await within(answerMs, "a flush", nats.flush());
      // Asked in any case: when it answers, the server forgets what was asked for by those who are gone, and pins none of them.
      const pinned = pinnedOf(await manager.consumers.info(stream, group.name));
      if (pin === undefined || pinned !== pin) return;
      if (reset) await manager.consumers.reset(stream, group.name);
      else for (const message of back.toSorted((one, other) => one.seq - other.seq)) message.nak();
      await within(answerMs, "a flush", nats.flush());
      await manager.consumers.unpin(stream, group.name, members);
    } catch (error) {
      log.warn({ ...about, err: error }, "a group was not handed over; it goes on in 10 s");
    }
  }

  async function run(): Promise<void> {
    for (let attempt = 1; !stopping.signal.aborted; ) {
      try {
        await follow();
        attempt = 1;
      } catch (error) {
        log.warn({ ...about, err: error, attempt }, "reading from NATS failed; it is tried again");
        await timer.sleep(backoffMs(attempt++, 250, 10_000, random), stopping.signal);
      }
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
    async abort() {
      stopping.abort();
      aborting.abort();
      await running;
    },
  };
}

/** Another works from now on: the pin has lapsed, or the group was taken back to another place. */
async function watchPin(messages: ConsumerMessages, lost: () => void): Promise<void> {
  for await (const { type } of messages.status()) if (type === "consumer_unpinned" || type === "consumer_deleted") lost();
}
