/** Work in the order of each key: of every key one item at a time, of all keys `atOnce` at most. */
export interface Lanes<T> {
  add(key: string, item: T): void;
  /** Takes back what has not begun. */
  clear(): T[];
  /** Until nothing runs; what is added later counts too. */
  settled(): Promise<void>;
}

/** `run` must not throw. While it waits in `aside`, its key is held and its place among the `atOnce` is another's. */
export function createLanes<T>(atOnce: number, run: (item: T, aside: (wait: Promise<void>) => Promise<void>) => Promise<void>): Lanes<T> {
  const lanes = new Map<string, T[]>();
  const places: (() => void)[] = [];
  let free = atOnce;
  let running = 0;
  let settle: (() => void)[] = [];

  async function take(): Promise<void> {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => places.push(resolve));
  }
  function give(): void {
    const next = places.shift();
    if (next === undefined) free++;
    else next();
  }
  async function aside(wait: Promise<void>): Promise<void> {
    give();
    await wait;
    await take();
  }

  async function work(key: string, lane: T[]): Promise<void> {
    while (lane.length > 0) {
      await take();
      const item = lane.shift();
      if (item !== undefined) {
        running++;
        await run(item, aside);
        running--;
      }
      give();
      if (running > 0) continue;
      for (const resolve of settle) resolve();
      settle = [];
    }
    lanes.delete(key);
  }

  return {
    add(key, item) {
      const lane = lanes.get(key);
      if (lane !== undefined) return void lane.push(item);
      const made = [item];
      lanes.set(key, made);
      void work(key, made);
    },
    clear: () => [...lanes.values()].flatMap((lane) => lane.splice(0)),
    async settled() {
      if (running > 0) await new Promise<void>((resolve) => settle.push(resolve));
    },
  };
}
