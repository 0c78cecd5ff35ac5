import type { Clock } from "../clock.ts";
import { createLru } from "../identity/lru.ts";
import type { Cache, CacheEntry } from "./types.ts";

interface Kept {
  value: unknown;
  orgId: string;
  subjects: readonly string[];
  /** The change after which it was loaded. */
  since: number;
}

const mostEntries = 10_000;
const mostSubjects = 50_000;

/**
 * The first level, in this process. A value is good as long as none of its subjects changed since its loading began:
 * changes are numbered, and each subject keeps the number of its last one. While `behind`, changes of other servers may
 * be missing, and nothing that was kept is answered.
 */
export function createMemoryCache(clock: Clock, options: { entries?: number; subjects?: number; behind?(): boolean } = {}): Cache {
  const { entries = mostEntries, subjects = mostSubjects, behind = () => false } = options;
  const kept = createLru<Kept>(entries);
  const changed = createLru<number>(subjects);
  const loading = new Map<string, Promise<unknown>>();
  let change = 0;
  /** Changes up to this one may have been forgotten, so that what was loaded before it is not trusted. */
  let forgotten = 0;

  function good({ orgId, subjects: of, since }: Pick<Kept, "orgId" | "subjects" | "since">): boolean {
    if (since < forgotten) return false;
    return [...of.map((subject) => `${orgId} ${subject}`), orgId].every((name) => (changed.get(name, 0) ?? 0) <= since);
  }

  function note(name: string): void {
    change += 1;
    if (changed.size >= subjects) forgotten = change - 1;
    changed.set(name, change, Infinity);
  }

  async function load<T>(name: string, { orgId, subjects: of, seconds }: CacheEntry, read: () => Promise<T>): Promise<T> {
    const since = change;
    const value = await read();
    const entry = { value, orgId, subjects: of, since };
    if (good(entry)) kept.set(name, entry, clock.now() + seconds * 1000);
    return value;
  }

  return {
    async through<T>(entry: CacheEntry, read: () => Promise<T>): Promise<T> {
      const name = `${entry.orgId} ${entry.key}`;
      const found = kept.get(name, clock.now());
      if (found !== undefined && good(found) && !behind()) return found.value as T;
      // Who asks after a change does not join a loading that began before it.
      const one = `${name} ${change}`;
      const running = loading.get(one);
      if (running !== undefined) return running as Promise<T>;
      const begun = load(name, entry, read).finally(() => loading.delete(one));
      loading.set(one, begun);
      return begun;
    },
    async invalidate(orgId, of) {
      for (const subject of of) note(`${orgId} ${subject}`);
    },
    async clear(orgId) {
      note(orgId);
    },
    health: async () => "ok",
    close: async () => undefined,
  };
}
