export { createMemoryCache } from "./memory-cache.ts";
export type { Cache, CacheEntry } from "./types.ts";
