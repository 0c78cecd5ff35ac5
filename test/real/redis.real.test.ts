import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createMemoryCache, createRedisCache } from "../../src/platform/cache/index.ts";
import { cacheContract } from "../../src/platform/cache/contract.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { createMemoryLimits, createRedisLimits } from "../../src/platform/limits/index.ts";
import { limitsContract } from "../../src/platform/limits/contract.ts";
import { openRedis, type Redis } from "../../src/platform/redis/redis.ts";
import { describeWith } from "./support/peer.ts";
import { startRedis, type RedisServer } from "./support/redis.ts";

const log = pino({ level: "silent" });

describeWith(["redis"], "Redis", () => {
  let server: RedisServer;
  const open: Redis[] = [];
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => {
    for (const redis of open) await redis.close();
    await server.stop();
  });

  async function connected(url = server.url): Promise<Redis> {
    const redis = openRedis({ url, log, clock: systemClock, answerMs: 1_000 });
    open.push(redis);
    await expect.poll(() => redis.health()).toBe("ok");
    return redis;
  }
  const cacheOf = (redis: Redis) => createRedisCache({ first: createMemoryCache(systemClock), redis, wait: (ms) => sleep(ms) });

  limitsContract("redis", async () => {
    const run = randomUUID();
    const redis = await connected();
    return { limits: createRedisLimits(redis, { take: () => Promise.reject(new Error("it counted alone")) }), pass: (ms) => sleep(ms), key: (name) => `${run} ${name}` };
  });

  // Each server's first level learns of the others' changes from the event log; here one stands in for the log.
  cacheContract("redis behind memory", async () => {
    const firsts = [createMemoryCache(systemClock), createMemoryCache(systemClock)] as const;
    const told = firsts.map((first) => ({
      ...first,
      async invalidate(orgId: string, subjects: readonly string[]) {
        for (const each of firsts) await each.invalidate(orgId, subjects);
      },
      async clear(orgId: string) {
        for (const each of firsts) await each.clear(orgId);
      },
    }));
    const [one, other] = await Promise.all(told.map(async (first) => createRedisCache({ first, redis: await connected(), wait: (ms) => sleep(ms) })));
    return { one: one as ReturnType<typeof cacheOf>, other: other as ReturnType<typeof cacheOf>, settled: async () => undefined, pass: (ms) => sleep(ms) };
  });

  it("keeps values under the reference's names, apart by organization, for as long as it may", async () => {
    const cache = cacheOf(await connected());
    await cache.through({ orgId: "0190a0b0-0000-7000-8000-00000000000a", key: "image:img_1", subjects: ["img_1"], seconds: 3600 }, async () => ({ name: "ubuntu" }));
    expect(await server.ask("GET", "qinfra:0190a0b0-0000-7000-8000-00000000000a:image:img_1")).toContain('{"name":"ubuntu"}');
    expect(await server.ask("TTL", "qinfra:0190a0b0-0000-7000-8000-00000000000a:image:img_1")).toBeGreaterThan(3_500);
  });

  it("loads once for two servers that ask at once", async () => {
    const caches = [cacheOf(await connected()), cacheOf(await connected())];
    const entry = { orgId: randomUUID(), key: "cve:CVE-2026-1", subjects: ["adv_1"], seconds: 60 };
    let loads = 0;
    const load = async () => {
      loads += 1;
      await sleep(50);
      return loads;
    };
    expect(await Promise.all(caches.flatMap((cache) => Array.from({ length: 20 }, () => cache.through(entry, load))))).toEqual(Array.from({ length: 40 }, () => 1));
  });

  it("counts the requests of two servers together", async () => {
    const alone = { take: () => Promise.reject(new Error("it counted alone")) };
    const servers = [createRedisLimits(await connected(), alone), createRedisLimits(await connected(), alone)];
    const key = randomUUID();
    const answers = await Promise.all(servers.flatMap((limits) => Array.from({ length: 50 }, () => limits.take([key], { perSecond: 0.001, burst: 30 }))));
    expect(answers.filter((answer) => answer.retryAfterSeconds === undefined)).toHaveLength(30);
  });

  it("goes on without Redis, says so, and uses it again when it is back", async () => {
    let mine = await startRedis();
    const redis = openRedis({ url: mine.url, log, clock: systemClock, answerMs: 1_000, restMs: 10 });
    await expect.poll(() => redis.health()).toBe("ok");
    const cache = cacheOf(redis);
    const limits = createRedisLimits(redis, createMemoryLimits(systemClock));
    await mine.stop();
    await expect.poll(() => redis.health()).toContain("cannot be reached");
    const entry = { orgId: randomUUID(), key: "image:1", subjects: ["img_1"], seconds: 60 };
    expect(await cache.through(entry, async () => "loaded")).toBe("loaded");
    await cache.invalidate(entry.orgId, entry.subjects);
    expect(await cache.through(entry, async () => "loaded anew")).toBe("loaded anew");
    expect((await limits.take(["a"], { perSecond: 1, burst: 5 })).remaining).toBe(4);
    mine = await startRedis({ port: mine.port });
    await expect.poll(() => redis.health(), { timeout: 10_000 }).toBe("ok");
    await limits.take(["b"], { perSecond: 1, burst: 5 });
    expect(await mine.ask("EXISTS", "qinfra:limit:b")).toBe(1);
    await redis.close();
    await mine.stop();
  });

  it("waits for a slow Redis once, then gives it a rest", async () => {
    const redis = openRedis({ url: server.url, log, clock: systemClock, answerMs: 50, restMs: 60_000 });
    await expect.poll(() => redis.health()).toBe("ok");
    const paused = server.ask("CLIENT", "PAUSE", "1500", "ALL");
    await paused;
    expect(await redis.ask(["GET", "x"])).toBeUndefined();
    await expect.poll(() => server.ask("PING"), { timeout: 10_000 }).toBe("PONG");
    expect(await redis.ask(["PING"])).toBeUndefined();
    expect(await redis.health()).toContain("too slow");
    await redis.close();
  });
});
