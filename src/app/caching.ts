import type { Logger } from "pino";
import type { EngineTls } from "../platform/tls/index.ts";
import { createMemoryCache, createRedisCache, followChanges, type Cache } from "../platform/cache/index.ts";
import type { Clock } from "../platform/clock.ts";
import type { Config } from "../platform/config.ts";
import type { Database } from "../platform/database/database.ts";
import type { Bus, Line, Timer } from "../platform/events/index.ts";
import { createMemoryLimits, createRedisLimits, type RateLimits } from "../platform/limits/index.ts";
import { openRedis } from "../platform/redis/redis.ts";

export interface Caching {
  cache: Cache;
  limits: RateLimits;
  /** Of Redis, where there is one. */
  check?: () => Promise<string>;
  stop(): Promise<void>;
}

/** The cache and the counts of rate limits: in this process, and behind it in Redis where CACHE_URL names one. */
export function openCaching(config: Config, ports: { database: Database; line: Line; timer: Timer; log: Logger; clock: Clock; engines?: EngineTls }): Caching {
  const { clock, log, timer } = ports;
  const first = createMemoryCache(clock, { behind: () => changes.behind() });
  const changes = followChanges(ports, ({ orgId, subjects }) => first.invalidate(orgId, subjects));
  const alone = createMemoryLimits(clock);
  const redis = config.cacheUrl === "memory" ? undefined : openRedis({ url: config.cacheUrl, log, clock, ...(ports.engines === undefined ? {} : { tls: ports.engines }) });
  return {
    cache: redis === undefined ? first : createRedisCache({ first, redis, wait: timer.sleep }),
    limits: redis === undefined ? alone : createRedisLimits(redis, alone),
    ...(redis === undefined ? {} : { check: () => redis.health() }),
    async stop() {
      await changes.stop();
      await redis?.close();
    },
  };
}

/**
 * Ends what the second level keeps of a published event's subject. The server that made the change has done so at once;
 * this holds even where it died right after its commit.
 */
export function endingKept(bus: Bus, cache: Pick<Cache, "invalidate">): Bus {
  return {
    ...bus,
    async publish(topic, event) {
      // Every event has this topic, so that each is seen once.
      if (topic === "audit.events") await cache.invalidate(event.orgId, [event.subject]);
      await bus.publish(topic, event);
    },
  };
}
