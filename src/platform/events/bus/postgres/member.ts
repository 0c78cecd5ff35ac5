import type { Logger } from "pino";
import { timestamp, type Clock } from "../../../clock.ts";
import type { Line } from "../../line.ts";
import { backoffMs, createBell, type Timer } from "../../timer.ts";
import type { ConsumerOptions } from "../types.ts";
import { createInHand, type InHand, type Item } from "./in-hand.ts";
import type { BusStore, LoggedEvent } from "./store.ts";

export interface MemberPorts {
  store: BusStore;
  line: Line;
  timer: Timer;
  clock: Clock;
  log: Logger;
  /** 0 to 1, for jitter. */
  random(): number;
}

/** A member of a group on this server. */
export interface MemberOptions {
  /** Of the group, in events.subscriptions and of its lock. */
  name: string;
  prefix: string;
  options: ConsumerOptions;
  /** Aborts what is in hand; it comes again. */
  closing: AbortSignal;
}

interface Task extends Item {
  logged: LoggedEvent;
}

const standbyMs = 1_000;
const pollMs = 250;
const againMs = 1_000;
const pageSize = 200;
const mostRead = 1_000;
/** Most that are handled behind one that is not; the reader waits for that one then. */
const mostAhead = 5_000;

/** Until `stop` or `closing` aborts. Of the members of a group, one reads at a time; the others stand by and take over. */
export async function runMember(ports: MemberPorts, member: MemberOptions, stop: AbortSignal): Promise<void> {
  const { line, timer, log } = ports;
  const end = AbortSignal.any([stop, member.closing]);
  while (!end.aborted) {
    const hold = await line.tryLock(member.name);
    if (hold !== undefined) {
      await lead(ports, member, end, hold.lost).catch((error: unknown) => {
        if (!end.aborted) log.error({ err: error, group: member.name }, "reading the event log for a group failed; it goes on from its last checkpoint");
      });
      await hold.release();
    }
    await timer.sleep(standbyMs, end);
  }
}

async function lead(ports: MemberPorts, member: MemberOptions, stop: AbortSignal, lost: AbortSignal): Promise<void> {
  const { store, line, timer, clock, log, random } = ports;
  const { name, prefix } = member;
  const { topic, attempts = 5, baseMs = 250, atOnce = 10, handle } = member.options;
  const end = AbortSignal.any([stop, lost]);
  const cancelled = AbortSignal.any([member.closing, lost]);
  const bell = createBell(timer);
  const hand: InHand<Task> = createInHand(atOnce);
  const working = new Set<Promise<void>>();
  const again = new Set<string>();
  let saved = await store.checkpoint(name);
  let read = saved;
  let more = true;

  async function attemptAll({ logged }: Task): Promise<boolean> {
    const { position, event } = logged;
    for (let attempt = 1; ; attempt++) {
      try {
        await handle({ topic, key: event.stream, event, offset: String(position), attempt }, cancelled);
        if (cancelled.aborted) return false;
        if (again.has(event.id)) await insist(() => store.forget(name, event));
        return !cancelled.aborted;
      } catch (error) {
        if (cancelled.aborted) return false;
        log.warn({ err: error, group: name, event: event.id, attempt }, "a consumer of the bus failed");
        if (attempt === attempts) {
          const reason = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 1_000);
          await insist(() => store.park(name, logged, attempts, reason, timestamp(clock)));
          return !cancelled.aborted;
        }
        await timer.sleep(backoffMs(attempt, baseMs, 60_000, random), end);
        if (end.aborted) return false;
      }
    }
  }

  /** While the database is away nothing is settled. */
  async function insist(work: () => Promise<void>): Promise<void> {
    while (!cancelled.aborted) {
      try {
        return await work();
      } catch (error) {
        log.warn({ err: error, group: name }, "the state of a group could not be written; it is tried again");
        await timer.sleep(againMs, cancelled);
      }
    }
  }

  async function work(task: Task): Promise<void> {
    if (!(await attemptAll(task))) return;
    hand.settle(task);
    again.delete(task.logged.event.id);
    bell.ring();
  }

  function start(): void {
    for (let task = hand.take(); task !== undefined; task = hand.take()) {
      const done: Promise<void> = work(task).finally(() => working.delete(done));
      working.add(done);
    }
  }

  async function save(): Promise<void> {
    const position = hand.checkpoint(read);
    if (position > saved) await store.save(name, position);
    saved = position;
  }

  async function readOn(): Promise<void> {
    const { unsettled, ahead } = hand.size();
    const room = unsettled + pageSize <= mostRead && ahead < mostAhead;
    if (more && room) {
      more = false;
      const page = await store.read(name, prefix, read, pageSize);
      for (const logged of page.events) hand.put({ key: keyOf(logged), position: logged.position, logged });
      if (page.end > read) more = true;
      read = page.end;
    }
    if (end.aborted) return;
    start();
    if (!(more && room) && !(await bell.wait(pollMs, end))) more = true;
  }

  /** Beside the reading: how far it is, and what was asked for once more. */
  async function keep(): Promise<void> {
    await save();
    for (const logged of await store.asked(name, pageSize)) {
      if (again.has(logged.event.id)) continue;
      again.add(logged.event.id);
      hand.put({ key: keyOf(logged), position: undefined, logged });
      bell.ring();
    }
    await timer.sleep(pollMs, end);
  }

  /** What is in hand is not touched by a failure of the database that leaves the lock. */
  async function untilEnd(round: () => Promise<void>): Promise<void> {
    while (!end.aborted) {
      await round().catch(async (error: unknown) => {
        log.error({ err: error, group: name }, "reading the event log for a group failed; it is tried again");
        await timer.sleep(againMs, end);
        more = true;
      });
    }
  }

  const deaf = line.on("events_sealed", () => {
    more = true;
    bell.ring();
  });
  await Promise.all([untilEnd(readOn), untilEnd(keep)]);
  deaf();
  await settled(working, cancelled);
  if (lost.aborted) return;
  await save();
  const ahead = hand.ahead().map(({ logged }) => logged.event);
  if (ahead.length > 0) await store.mark(name, ahead, timestamp(clock));
}

/** Streams of two organizations are two keys. */
function keyOf({ event }: LoggedEvent): string {
  return `${event.orgid} ${event.stream}`;
}

/** When all of them are done, or at once when they are cancelled. */
async function settled(working: ReadonlySet<Promise<void>>, cancelled: AbortSignal): Promise<void> {
  if (cancelled.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  cancelled.addEventListener("abort", () => resolve(), { once: true });
  await Promise.race([Promise.all(working), promise]);
}
