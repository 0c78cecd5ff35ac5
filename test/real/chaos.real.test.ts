import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openClient } from "./support/client.ts";
import { countLog, superuser } from "./support/event-log.ts";
import { claim, dataFolder, postmasterOf, root, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { lost, repeat, seeded, writeUntilKilled, type Ledger } from "./support/writers.ts";

const rounds = 20;
const leastWrites = 100;
const settings = { RATE_LIMIT: "100000" };

describe("kill -9 of the server", () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let platform: RunningPlatform;
  let token: string;
  beforeAll(async () => {
    folder = await dataFolder("chaos");
    platform = await startPlatform(folder.path, settings);
    const admin = await claim(platform.address, "admin", platform.oneTimePassword ?? "", "a password for the chaos");
    token = admin.token as string;
    await admin.call("POST", "/api/v1/feeds/debian/import", await readFile(join(root, "examples/debian.osv.jsonl")));
    await admin.close();
  });
  afterAll(async () => {
    await platform.stop();
    await folder.remove();
  });

  it(`given ${rounds} kills under write load, when it starts again, then nothing acknowledged is lost and nothing happened twice`, async () => {
    const seed = Number(process.env["QINFRA_SEED"] ?? Date.now() % 2 ** 31);
    process.stdout.write(`chaos: seed ${seed} (QINFRA_SEED=${seed} repeats its choices)\n`);
    const random = seeded(seed);
    const ledger: Ledger = { sites: new Set(), assets: new Map() };
    let total = 0;
    for (let round = 1; round <= rounds; round++) {
      const client = openClient(platform.address, token);
      const postmaster = await postmasterOf(folder.path);
      const both = round % 2 === 0;
      const written = await writeUntilKilled(client, ledger, {
        round, enough: leastWrites + Math.floor(random() * 40), delayMs: random() * 25, random,
        kill() {
          if (both) process.kill(postmaster, "SIGKILL");
          process.kill(platform.pid, "SIGKILL");
        },
      });
      await client.close();
      await platform.stop("SIGKILL");
      total += written.acknowledged;
      expect(written.acknowledged).toBeGreaterThanOrEqual(leastWrites);
      expect(written.inFlight).toBeGreaterThanOrEqual(1);

      const began = performance.now();
      platform = await startPlatform(folder.path, settings);
      const after = openClient(platform.address, token);
      process.stdout.write(`chaos: round ${round}: ${written.acknowledged} acknowledged, ${written.inFlight} in flight, killed the server${both ? " and PostgreSQL" : ""}, back in ${Math.round(performance.now() - began)} ms\n`);
      expect(await lost(after, ledger, written.open)).toEqual([]);
      await repeat(after, written.open);
      expect(await lost(after, ledger, [])).toEqual([]);
      await after.close();
    }

    const database = await superuser(folder.path);
    const client = openClient(platform.address, token);
    try {
      const counts = await vi.waitUntil(async () => {
        const now = await countLog(database);
        return now.unsealed === 0 && now.unhandled === 0 ? now : undefined;
      }, { timeout: 30_000, interval: 100 });
      process.stdout.write(`chaos: ${total} acknowledged writes in ${rounds} rounds, ${ledger.sites.size} sites, ${ledger.assets.size} assets, ${JSON.stringify(counts)}\n`);
      expect(counts).toMatchObject({ gaps: 0, matchedTwice: 0, sitesNotOnce: 0, parked: 0, unmatched: 0 });
      expect(counts.matched).toBeGreaterThan(0);
      const verified = await client.call<{ whole: boolean; events: number; checkpoints: number }>("POST", "/api/v1/audit/verify", {});
      expect(verified).toMatchObject({ whole: true, problems: 0, first: null });
      expect(verified.events).toBe(counts.events);
      expect(verified.checkpoints).toBeGreaterThan(0);
    } finally {
      await client.close();
      await database.end();
    }
  }, 420_000);

  it("given a kill half-way through the import of a feed, then nothing of it stays and scans answer as before", async () => {
    const before = openClient(platform.address, token);
    const scanned = await before.call("POST", "/api/v1/scan", scanInput);
    const watching = await superuser(folder.path);
    const staged = async (): Promise<number> => (await watching.query<{ n: number }>("select count(*)::int as n from vulnerabilities.advisories a join vulnerabilities.feed_versions v on v.id = a.feed_version_id where v.state = 'staging'")).rows[0]?.n ?? 0;
    const importing = before.ask("POST", "/api/v1/feeds/large/import", largeFeed(60_000)).then(() => "answered", () => "cut off");
    await vi.waitUntil(async () => (await staged()) >= 500, { timeout: 30_000, interval: 5 });
    await platform.stop("SIGKILL");
    expect(await importing).toBe("cut off");
    await watching.end().catch(() => undefined);
    await before.close();

    platform = await startPlatform(folder.path, settings);
    const after = openClient(platform.address, token);
    const database = await superuser(folder.path);
    try {
      const left = () => database.query<{ versions: number; advisories: number }>(`
        select (select count(*)::int from vulnerabilities.feed_versions where feed = 'large') as versions,
          (select count(*)::int from vulnerabilities.advisories where id like 'LARGE-%') as advisories`);
      await vi.waitUntil(async () => (await left()).rows[0]?.versions === 0, { timeout: 20_000, interval: 50 });
      expect((await left()).rows[0]).toEqual({ versions: 0, advisories: 0 });
      expect(await after.call("POST", "/api/v1/scan", scanInput)).toEqual(scanned);
    } finally {
      await after.close();
      await database.end();
    }
  });
});

const scanInput = { components: [{ name: "redis-server", version: "5:7.0.15-1~deb12u7", purl: "pkg:deb/debian/redis-server@5:7.0.15-1~deb12u7?arch=amd64&distro=debian-12&upstream=redis" }] };

function largeFeed(records: number): string {
  const lines = Array.from({ length: records }, (_, i) => JSON.stringify({
    id: `LARGE-${i}`, modified: "2026-11-01T00:00:00Z", summary: "x".repeat(200),
    affected: [{ package: { ecosystem: "Debian:12", name: `package-${i}` }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: "2-1" }] }] }],
  }));
  return `${lines.join("\n")}\n`;
}
