export interface Lru<Value> {
  /** Undefined when it is not there or has expired. */
  get(key: string, now: number): Value | undefined;
  set(key: string, value: Value, expiresAt: number): void;
  delete(key: string): void;
  readonly size: number;
}

/** At most `most` values, the least recently used goes first; times in milliseconds since 1970. */
export function createLru<Value>(most: number): Lru<Value> {
  const entries = new Map<string, { value: Value; expiresAt: number }>();
  return {
    get(key, now) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (entry.expiresAt <= now) return undefined;
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, expiresAt) {
      entries.delete(key);
      entries.set(key, { value, expiresAt });
      if (entries.size > most) entries.delete(entries.keys().next().value ?? key);
    },
    delete: (key) => void entries.delete(key),
    get size() {
      return entries.size;
    },
  };
}
