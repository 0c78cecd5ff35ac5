import { randomUUID } from "node:crypto";
import { script, type Redis } from "../redis/redis.ts";
import type { Cache, CacheEntry } from "./types.ts";

/** Longer than any value is kept: a mark that went first would bring old values back to life. */
const markSeconds = 3 * 86_400;
const longestSeconds = 86_400;
const longestValue = 256 * 1024;
const lockMs = 5_000;
const pollMs = 20;

/** What a value was made under: the marks of its organization and subjects at that time. */
const readScript = script(`
local marks = {}
for i = 2, #KEYS do marks[i - 1] = redis.call('GET', KEYS[i]) or '' end
return { redis.call('GET', KEYS[1]), table.concat(marks, ' ') }
`);

const writeScript = script(`
local marks = {}
for i = 2, #KEYS do marks[i - 1] = redis.call('GET', KEYS[i]) or '' end
if table.concat(marks, ' ') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
`);

const changeScript = script(`
for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1], 'EX', ARGV[2]) end
return #KEYS
`);

/**
 * The second level, shared by all servers, behind the first. Keys are the reference's, `image:<id>`, under
 * `qinfra:<org>:`. Each subject has a mark that a change replaces; a value counts as long as the marks are those that it
 * was made under, so that nothing has to be found and deleted, and a value made of an old read is never taken.
 */
export function createRedisCache({ first, redis, wait }: { first: Cache; redis: Redis; wait: (ms: number) => Promise<void> }): Cache {
  async function look(keys: readonly string[]): Promise<{ text: string | undefined; marks: string } | undefined> {
    const answer = await redis.run(readScript, keys, []);
    if (!Array.isArray(answer)) return undefined;
    const [stored, marks] = answer as [string | null, string];
    const [under, text] = stored === null ? [undefined, undefined] : split(stored);
    return { text: under === marks ? text : undefined, marks };
  }

  /** Somebody on another server may be loading it: waits for theirs a while, then loads itself. */
  async function second<T>(entry: CacheEntry, load: () => Promise<T>): Promise<T> {
    const keys = keysOf(entry);
    const [key = ""] = keys;
    const token = randomUUID();
    for (let waited = 0; ; waited += pollMs) {
      const found = await look(keys);
      if (found === undefined) return load();
      if (found.text !== undefined) return JSON.parse(found.text) as T;
      const locked = await redis.ask(["SET", `${key}:loading`, token, "NX", "PX", String(lockMs)]);
      if (locked === "OK" || waited >= lockMs) return loadAndKeep(entry, keys, found.marks, load);
      if (locked === undefined) return load();
      await wait(pollMs);
    }
  }

  async function loadAndKeep<T>(entry: CacheEntry, keys: readonly string[], marks: string, load: () => Promise<T>): Promise<T> {
    const [key = ""] = keys;
    try {
      const value = await load();
      const text = JSON.stringify(value);
      if (text.length <= longestValue) await redis.run(writeScript, keys, [marks, `${marks}\n${text}`, String(Math.min(longestSeconds, Math.max(1, Math.round(entry.seconds))))]);
      return value;
    } finally {
      await redis.ask(["DEL", `${key}:loading`]);
    }
  }

  return {
    through: (entry, load) => first.through(entry, () => second(entry, load)),
    async invalidate(orgId, subjects) {
      await first.invalidate(orgId, subjects);
      await redis.run(changeScript, subjects.map((subject) => markOf(orgId, subject)), [randomUUID(), String(markSeconds)]);
    },
    async clear(orgId) {
      await first.clear(orgId);
      await redis.run(changeScript, [markOf(orgId, "all")], [randomUUID(), String(markSeconds)]);
    },
    health: () => redis.health(),
    close: () => redis.close(),
  };
}

function keysOf({ orgId, key, subjects }: CacheEntry): string[] {
  return [`qinfra:${orgId}:${key}`, markOf(orgId, "all"), ...subjects.map((subject) => markOf(orgId, subject))];
}

function markOf(orgId: string, subject: string): string {
  return `qinfra:${orgId}:changed:${subject}`;
}

function split(stored: string): [string, string] {
  const end = stored.indexOf("\n");
  return [stored.slice(0, end), stored.slice(end + 1)];
}
