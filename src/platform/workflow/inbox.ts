import type { Execution, Message } from "./execution.ts";

/** A deadline that no run reaches: the year 2200. */
export const never = Date.UTC(2200, 0, 1);

export interface Inbox {
  /** The first message that fits, read or yet to come; undefined at the deadline, and "cancelled" where that was told. */
  next(fits: (message: Message) => boolean, deadline: number): Promise<Message | undefined | "cancelled">;
  cancelled(): boolean;
}

interface Waiter {
  fits(message: Message): boolean;
  deadline: number;
  settle(found: Message | undefined | "cancelled"): void;
  fail(reason: unknown): void;
}

/** What the workflow was told and has not asked for yet. One message is received at a time, so that a replay hears them alike. */
export function createInbox(execution: Pick<Execution, "receive">): Inbox {
  const seen = new Set<string>();
  const unread: Message[] = [];
  let waiters: Waiter[] = [];
  let cancelled = false;
  let receiving = false;

  function settle(which: (waiter: Waiter) => boolean, found: Message | undefined | "cancelled"): void {
    const settled = waiters.filter(which);
    waiters = waiters.filter((waiter) => !settled.includes(waiter));
    for (const waiter of settled) waiter.settle(found);
  }

  function hear(message: Message): void {
    if (seen.has(message.id)) return;
    seen.add(message.id);
    if (message.kind === "cancel") {
      cancelled = true;
      return settle(() => true, "cancelled");
    }
    const waiter = waiters.find(({ fits }) => fits(message));
    if (waiter === undefined) unread.push(message);
    else settle((one) => one === waiter, message);
  }

  async function receive(): Promise<void> {
    receiving = true;
    try {
      while (waiters.length > 0) {
        const deadline = Math.min(...waiters.map((waiter) => waiter.deadline));
        const message = await execution.receive(deadline);
        if (message === undefined) settle((waiter) => waiter.deadline <= deadline, undefined);
        else hear(message);
      }
    } catch (error) {
      for (const waiter of waiters.splice(0)) waiter.fail(error);
    } finally {
      receiving = false;
    }
  }

  return {
    cancelled: () => cancelled,
    next(fits, deadline) {
      if (cancelled) return Promise.resolve("cancelled");
      const at = unread.findIndex(fits);
      if (at >= 0) return Promise.resolve(unread.splice(at, 1)[0]);
      return new Promise((resolve, reject) => {
        waiters.push({ fits, deadline, settle: resolve, fail: reject });
        if (!receiving) void receive();
      });
    },
  };
}
