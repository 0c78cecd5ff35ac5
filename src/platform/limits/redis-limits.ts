import { script, type Redis } from "../redis/redis.ts";
import { allowanceOf } from "./memory-limits.ts";
import type { RateLimits } from "./types.ts";

/** One round trip, atomic, by Redis' own clock, so that servers whose clocks differ count alike. */
const takeScript = script(`
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local per_second, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local least, levels = burst, {}
for i, key in ipairs(KEYS) do
  local kept = redis.call('HMGET', key, 't', 'a')
  local tokens = tonumber(kept[1]) or burst
  local at = tonumber(kept[2]) or now
  tokens = math.min(burst, tokens + math.max(0, now - at) * per_second)
  levels[i] = tokens
  if tokens < least then least = tokens end
end
local taken = least >= 1
for i, key in ipairs(KEYS) do
  local tokens = levels[i]
  if taken then tokens = tokens - 1 end
  redis.call('HSET', key, 't', string.format('%.6f', tokens), 'a', string.format('%.6f', now))
  redis.call('EXPIRE', key, math.ceil(burst / per_second) + 1)
end
if taken then least = least - 1 end
return { taken and 1 or 0, string.format('%.6f', least) }
`);

/** Counts of all servers together. While Redis is away each server counts by itself, with the same limit. */
export function createRedisLimits(redis: Redis, alone: RateLimits): RateLimits {
  return {
    async take(keys, bucket) {
      const answer = await redis.run(takeScript, keys.map((key) => `qinfra:limit:${key}`), [String(bucket.perSecond), String(bucket.burst)]);
      if (!Array.isArray(answer)) return alone.take(keys, bucket);
      const [taken, least] = answer as [number, string];
      return allowanceOf(Number(least), bucket, taken === 1);
    },
  };
}
