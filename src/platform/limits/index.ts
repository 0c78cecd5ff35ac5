export { allowanceOf, createMemoryLimits } from "./memory-limits.ts";
export { createRedisLimits } from "./redis-limits.ts";
export type { Allowance, Bucket, RateLimits } from "./types.ts";
