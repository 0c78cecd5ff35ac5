/** Work in the order of each key, with a limit to how much is done at once. */
export interface KeyedWork<T> {
  add(key: string, item: T): void;
  /** Forgets what has not begun. */
  clear(): void;
  /** Begins nothing more, until `go`. */
  hold(): void;
  go(): void;
  /** Until nothing is being done. */
  idle(): Promise<void>;
}

/** `work` never throws. Of one key nothing begins before what came earlier has ended; between keys it goes round in turn. */
export function keyedWork<T>(atOnce: number, work: (item: T) => Promise<void>): KeyedWork<T> {
  const queues = new Map<string, T[]>();
  const running = new Set<string>();
  /** Keys that nothing is being done of, in the order in which it is their turn. */
  let ready: string[] = [];
  let held = false;
  let waiters: (() => void)[] = [];

  function next(): void {
    while (!held && running.size < atOnce) {
      const key = ready.shift();
      if (key === undefined) return;
      const item = queues.get(key)?.shift();
      if (item === undefined) queues.delete(key);
      else void begin(key, item);
    }
  }

  async function begin(key: string, item: T): Promise<void> {
    running.add(key);
    await work(item);
    running.delete(key);
    if ((queues.get(key)?.length ?? 0) > 0) ready.push(key);
    else queues.delete(key);
    if (running.size === 0) {
      for (const resolve of waiters) resolve();
      waiters = [];
    }
    next();
  }

  return {
    add(key, item) {
      const queue = queues.get(key);
      if (queue !== undefined) return void queue.push(item);
      queues.set(key, [item]);
      ready.push(key);
      next();
    },
    clear() {
      ready = [];
      for (const key of queues.keys()) {
        if (running.has(key)) queues.set(key, []);
        else queues.delete(key);
      }
    },
    hold: () => void (held = true),
    go() {
      held = false;
      next();
    },
    idle: () => (running.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiters.push(resolve))),
  };
}
