import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority } from "../test/real/support/certificates.ts";
import { startNginx } from "../test/real/support/nginx.ts";
import { peer } from "../test/real/support/peer.ts";
import { startPlatform, type RunningPlatform, type StartOptions } from "../test/real/support/platform.ts";
import { startRedis } from "../test/real/support/redis.ts";
import type { LoadPlan } from "./load.ts";
import { load, median, onCore } from "./process.ts";
import { assetIds, platformEnvironment, type Stage } from "./stage.ts";

export interface WayIn {
  what: string;
  /** Requests a second with it, and of the same without it. */
  with: number;
  without: number;
  /** Added to the median of a request, in milliseconds. */
  addedMs: number;
}

export interface WaysIn {
  ways: WayIn[];
  /** Why something was not measured. */
  missing: string[];
}

const connections = 32;

/** What each part of the way in costs: the same request with it and without it, in turns. */
export async function measureWaysIn(stage: Stage, options: { rounds: number; seconds: number }): Promise<WaysIn> {
  const ends: (() => Promise<void>)[] = [];
  const ways: WayIn[] = [];
  const missing: string[] = [];
  const plan = (address: string, paths: readonly string[], token?: string, ca?: string): LoadPlan => ({
    method: "GET", connections, warmupSeconds: 1, seconds: options.seconds, address, paths, ...(token === undefined ? {} : { token }), ...(ca === undefined ? {} : { ca }),
  });

  async function compare(what: string, withIt: LoadPlan, withoutIt: LoadPlan): Promise<void> {
    const rounds = [];
    for (let round = 0; round <= options.rounds; round++) {
      const [without, added] = [await load(withoutIt), await load(withIt)];
      if (round > 0 || options.rounds === 1) rounds.push({ without, added });
    }
    ways.push({
      what, with: median(rounds.map(({ added }) => added.requestsPerSecond)), without: median(rounds.map(({ without }) => without.requestsPerSecond)),
      addedMs: median(rounds.map(({ added }) => added.p50)) - median(rounds.map(({ without }) => without.p50)),
    });
  }

  async function another(env: Record<string, string>, more: StartOptions = {}): Promise<RunningPlatform> {
    const platform = await startPlatform(join(stage.folder, `another-${ends.length}`), { ...platformEnvironment(stage), ...env }, { launcher: onCore(0), ...more });
    ends.push(() => platform.stop());
    return platform;
  }

  try {
    const { key } = await stage.client.call<{ key: string }>("POST", "/api/v1/api-keys", { name: "bench", scopes: ["assets:read"] });
    const session = stage.client.token as string;
    const { address } = stage.platform;
    const anyone = ["/api/v1/sign-in"];
    const assets = (await assetIds(stage)).map((id) => `/api/v1/assets/${id}`);
    const nobody = { ...plan(address, anyone), manyAddresses: true };
    await compare("a session, against no credential", { ...plan(address, anyone, session), manyAddresses: true }, nobody);
    await compare("an API key, against no credential", { ...plan(address, anyone, key), manyAddresses: true }, nobody);
    const redis = peer("redis");
    if ("missing" in redis) missing.push(`rate limit in Redis: ${redis.missing}`);
    else {
      const server = await startRedis();
      ends.push(() => server.stop());
      const counted = await another({ CACHE_URL: server.url });
      await compare("the rate limit in Redis, against in memory", plan(counted.address, assets, key), plan(address, assets, key));
    }
    const front = [peer("nginx"), peer("openssl")].flatMap((one) => ("missing" in one ? [one.missing] : []));
    if (front.length > 0) missing.push(`nginx with TLS: ${front.join("; ")}`);
    else {
      const authority = await createAuthority(stage.folder);
      const [own, gateway, shown] = await Promise.all(["server", "gateway", "front"].map((name) => authority.issue(name)));
      if (own === undefined || gateway === undefined || shown === undefined) throw new Error("a certificate was not made");
      const behind = await another({ TLS_CERT: own.cert, TLS_KEY: own.key, TLS_CA: authority.certificate, TRUSTED_PROXIES: "127.0.0.1" }, { ca: authority.certificate, client: gateway });
      const nginx = await startNginx([new URL(behind.address).host], { front: shown, gateway, ca: authority.certificate });
      ends.push(() => nginx.stop());
      await compare("nginx with TLS 1.3, and mutual TLS behind it, against none", plan(nginx.address, assets, key, readFileSync(authority.certificate, "utf8")), plan(address, assets, key));
    }
    return { ways, missing };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
