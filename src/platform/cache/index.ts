export { followChanges } from "./follow-changes.ts";
export { createMemoryCache } from "./memory-cache.ts";
export { createRedisCache } from "./redis-cache.ts";
export type { Cache, CacheEntry } from "./types.ts";
