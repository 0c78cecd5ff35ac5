import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Client } from "./support/client.ts";
import { describeWith, program } from "./support/peer.ts";
import { claim, dataFolder, root, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { startPostgres15, type Postgres15 } from "./support/postgres15.ts";
import { freePort, startServer, temporaryFolder, untilReady } from "./support/process.ts";
import { startRedis, type RedisServer } from "./support/redis.ts";
import { startS3, type S3Server } from "./support/s3.ts";
import { startToxiproxy, type FaultProxy, type Toxiproxy } from "./support/toxiproxy.ts";

type Part = "database" | "cache" | "policy" | "blobs";
type Fault = "stopped" | "slowed to 5 s" | "answering garbage";
const parts: readonly Part[] = ["cache", "policy", "blobs", "database"];
const faults: readonly Fault[] = ["stopped", "slowed to 5 s", "answering garbage"];

/** What a caller gets meanwhile: a read of the list of images, and a new image. */
const meanwhile: Record<Part, { read: number; change: number; ready: number }> = {
  cache: { read: 200, change: 201, ready: 200 },
  // An organization's own policy that cannot be asked denies.
  policy: { read: 403, change: 403, ready: 200 },
  blobs: { read: 200, change: 201, ready: 200 },
  database: { read: 503, change: 503, ready: 503 },
};

describeWith(["toxiproxy", "postgresql", "redis", "opa", "versitygw"], "with an outside part at fault", () => {
  let toxiproxy: Toxiproxy;
  let postgres: Postgres15;
  let redis: RedisServer;
  let s3: S3Server;
  let opa: ReturnType<typeof startServer>;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let data: Awaited<ReturnType<typeof dataFolder>>;
  let platform: RunningPlatform;
  let client: Client;
  let proxies: Record<Part, FaultProxy>;
  const acknowledged = new Set<string>();
  let made = 0;

  beforeAll(async () => {
    [toxiproxy, postgres, redis, s3] = await Promise.all([startToxiproxy(), startPostgres15(), startRedis(), startS3("versitygw")]);
    folder = await temporaryFolder("degraded-opa");
    const opaPort = await freePort();
    opa = startServer(program("opa"), ["run", "--server", "--skip-version-check", "--addr", `127.0.0.1:${opaPort}`, "--config-file", join(root, "deploy/opa/config.yaml"), folder.path]);
    await untilReady(opa, "OPA", async () => (await fetch(`http://127.0.0.1:${opaPort}/health`)).ok);
    proxies = {
      database: await toxiproxy.before("database", postgres.port),
      cache: await toxiproxy.before("cache", redis.port),
      policy: await toxiproxy.before("policy", opaPort),
      blobs: await toxiproxy.before("blobs", Number(new URL(s3.endpoint).port)),
    };
    const buckets = new S3Client({
      endpoint: s3.endpoint, region: "us-east-1", forcePathStyle: true,
      credentials: { accessKeyId: s3.credentials.AWS_ACCESS_KEY_ID, secretAccessKey: s3.credentials.AWS_SECRET_ACCESS_KEY },
    });
    await buckets.send(new CreateBucketCommand({ Bucket: "degraded" }));
    buckets.destroy();
    data = await dataFolder("degraded-platform");
    platform = await startPlatform(data.path, {
      DATABASE_URL: postgres.url.replace(String(postgres.port), String(proxies.database.port)),
      CACHE_URL: `redis://127.0.0.1:${proxies.cache.port}`,
      POLICY_URL: `opa:http://127.0.0.1:${proxies.policy.port}`,
      BLOBS_URL: `s3://degraded?region=us-east-1&path-style=true&endpoint=http://127.0.0.1:${proxies.blobs.port}`,
      ...s3.credentials,
    });
    client = await claim(platform.address, "admin", platform.oneTimePassword ?? "", "a password in hard times");
  }, 300_000);
  afterAll(async () => {
    await client?.close();
    await platform?.stop();
    await toxiproxy?.stop();
    await Promise.all([postgres?.stop(), redis?.stop(), s3?.stop(), opa?.stop()]);
    await folder?.remove();
    await data?.remove();
  });

  async function readiness(): Promise<{ status: number; checks: Record<string, string> }> {
    const answer = await fetch(`${platform.address}/readyz`, { signal: AbortSignal.timeout(10_000) });
    return { status: answer.status, checks: ((await answer.json()) as { checks: Record<string, string> }).checks };
  }

  async function change(): Promise<number> {
    const version = `1.0.${(made += 1)}`;
    const { status } = await client.ask("POST", "/api/v1/images", {
      family: "degraded", version, source: "dpkg-status", os: { id: "debian", versionId: "12" }, components: [{ name: "openssl", version: "3.0.17-1", purl: "pkg:deb/debian/openssl@3.0.17-1?distro=debian-12" }],
    });
    if (status === 201) acknowledged.add(version);
    return status;
  }

  function inflict(part: Part, fault: Fault): Promise<void> {
    const proxy = proxies[part];
    if (fault === "stopped") return proxy.stop();
    return fault === "slowed to 5 s" ? proxy.slow(5_000) : proxy.garble();
  }

  describe.each(parts)("%s", (part) => {
    it.each(faults)("%s: it is said, what can be kept is kept, and it mends by itself", async (fault) => {
      const writing = { go: true };
      const writers = Promise.all(Array.from({ length: 4 }, async () => {
        while (writing.go) {
          await change().catch(() => undefined);
          await sleep(20);
        }
      }));
      await inflict(part, fault);
      try {
        await expect.poll(async () => (await readiness()).checks[part], { timeout: 30_000 }).not.toBe("ok");
        expect((await readiness()).status).toBe(meanwhile[part].ready);
        if (!(part === "database" && fault === "slowed to 5 s")) {
          await expect.poll(async () => (await client.ask("GET", "/api/v1/images?limit=1")).status, { timeout: 60_000 }).toBe(meanwhile[part].read);
          await expect.poll(change, { timeout: 60_000 }).toBe(meanwhile[part].change);
        }
      } finally {
        await proxies[part].mend();
      }
      await expect.poll(async () => (await readiness()).checks, { timeout: 60_000 }).toMatchObject({ database: "ok", cache: "ok", policy: "ok", blobs: "ok" });
      await expect.poll(change, { timeout: 60_000 }).toBe(201);
      writing.go = false;
      await writers;
    }, 240_000);
  });

  it("then nothing that was acknowledged is lost, and the chain is whole", async () => {
    const found = new Set<string>();
    let cursor: string | undefined;
    do {
      const page: { items: { version: string }[]; next?: string } = await client.call("GET", `/api/v1/images?limit=1000${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
      for (const { version } of page.items) found.add(version);
      cursor = page.next;
    } while (cursor !== undefined);
    expect([...acknowledged].filter((version) => !found.has(version))).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(50);
    expect(await client.call("POST", "/api/v1/audit/verify", {})).toMatchObject({ whole: true });
    expect(await readFile(join(data.path, "qinfra.log"), "utf8")).not.toContain(s3.credentials.AWS_SECRET_ACCESS_KEY);
  }, 120_000);
});
