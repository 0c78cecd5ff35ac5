/** A message that was read, as far as its order matters. `position` is undefined for one that is given out of its order. */
export interface Item {
  key: string;
  position: number | undefined;
}

/** What a reader has read and not settled: what may be taken next, and up to where everything is settled. */
export interface InHand<T extends Item> {
  /** In the order of positions. */
  put(item: T): void;
  /** The next whose key nobody has in hand; undefined where there is none, or `atOnce` are in hand. */
  take(): T | undefined;
  /** The item is settled; the next of its key may be taken. */
  settle(item: T): void;
  /** Nothing before this position is unsettled, of what was read up to `read`. */
  checkpoint(read: number): number;
  /** Settled, but behind one that is not. */
  ahead(): T[];
  /** How many were read and are not settled, and how many `ahead` has. */
  size(): { unsettled: number; ahead: number };
}

export function createInHand<T extends Item>(atOnce: number): InHand<T> {
  const queues = new Map<string, T[]>();
  /** The first of each key that nobody has in hand. */
  const free: T[] = [];
  /** Insertion keeps the order of positions. */
  const unsettled = new Set<number>();
  const settledAhead = new Map<number, T>();
  let taken = 0;
  let size = 0;

  function lowest(): number | undefined {
    return unsettled.values().next().value;
  }

  return {
    put(item) {
      if (item.position !== undefined) unsettled.add(item.position);
      size += 1;
      const queue = queues.get(item.key);
      if (queue !== undefined) return void queue.push(item);
      queues.set(item.key, [item]);
      free.push(item);
    },
    take() {
      if (taken >= atOnce) return undefined;
      const item = free.shift();
      if (item !== undefined) taken += 1;
      return item;
    },
    settle(item) {
      taken -= 1;
      size -= 1;
      const queue = queues.get(item.key) ?? [];
      queue.shift();
      const [next] = queue;
      if (next === undefined) queues.delete(item.key);
      else free.push(next);
      if (item.position === undefined) return;
      const wasFirst = lowest() === item.position;
      unsettled.delete(item.position);
      if (!wasFirst) return void settledAhead.set(item.position, item);
      const first = lowest() ?? Infinity;
      for (const position of settledAhead.keys()) if (position < first) settledAhead.delete(position);
    },
    checkpoint(read) {
      const first = lowest();
      return first === undefined ? read : first - 1;
    },
    ahead: () => [...settledAhead.values()],
    size: () => ({ unsettled: size, ahead: settledAhead.size }),
  };
}
