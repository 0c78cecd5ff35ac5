import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { anonymous } from "../../platform/actor.ts";
import { systemClock } from "../../platform/clock.ts";
import { sql } from "../../platform/database/sql.ts";
import type { StoredEvent } from "../../platform/events/types.ts";
import { testPlatform, type TestPlatform } from "../../app/testing.ts";
import type { ScanReport } from "./domain/report.ts";
import { createStagingVersion, finishStaging } from "./feed-store.ts";
import type { FeedSummary } from "./feeds/feed-tally.ts";
import { sweepVulnerabilities } from "./index.ts";
import { replaceMatch } from "./match-store.ts";
import { rematchSubscription } from "./subscriptions.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.close());

const redis = { name: "redis-server", version: "5:7.0.15-1~deb12u7", purl: "pkg:deb/debian/redis-server@5:7.0.15-1~deb12u7?arch=amd64&distro=debian-12&upstream=redis" };

function advisory(id: string, source: string, fixed: string, cve: string, ecosystem = "Debian:12"): string {
  return JSON.stringify({
    id, modified: "2026-07-13T00:00:00Z", upstream: [cve], summary: `${source} - security update`,
    affected: [{ package: { ecosystem, name: source }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed }] }] }],
  });
}
const redisAdvisory = advisory("DLA-1", "redis", "5:7.0.15-1~deb12u8", "CVE-2026-1001");

async function importFeed(name: string, lines: readonly string[] | Buffer, contentType = "application/x-ndjson") {
  const body = Buffer.isBuffer(lines) ? lines : `${lines.join("\n")}\n`;
  return platform.call("feeds.import", { as: "platform-admin", input: { name }, body, headers: { "content-type": contentType } });
}

async function register(version: string, components: object[] = [redis]): Promise<string> {
  const answer = await platform.call("images.register", { as: "operator", input: { family: "vuln", version, source: "sbom", components } });
  return (answer.body as { image: { id: string } }).image.id;
}

interface Report {
  state: string;
  report: { findings: { advisory: string; fixedVersion: string | null }[]; summary: { findings: number; couldNotMatch: number } } | null;
}
async function reportOf(id: string): Promise<Report> {
  return (await platform.call("vulnerabilities.get-image-report", { as: "viewer", input: { id } })).body as Report;
}

function counts(): Promise<{ versions: number; advisories: number }> {
  return platform.test.database.system((db) => db.one(sql`
    select (select count(*) from vulnerabilities.feed_versions) as versions, (select count(*) from vulnerabilities.advisories) as advisories`));
}

describe("without any feed", () => {
  it("says that nothing could be matched, never that nothing was found", async () => {
    const { report, state } = await reportOf(await register("0"));
    expect(state).toBe("current");
    expect(report?.summary).toMatchObject({ findings: 0, couldNotMatch: 1 });
  });
});

describe("importing a feed", () => {
  it("takes JSON lines, gzipped or not, and knows the same records again", async () => {
    const first = await importFeed("debian", [redisAdvisory]);
    expect(first.body, first.text).toMatchObject({ feed: "debian", changed: true, records: 1, newest: "2026-07-13T00:00:00.000Z" });
    const again = await importFeed("debian", gzipSync(`${redisAdvisory}\n`), "application/gzip");
    expect(again.body).toMatchObject({ changed: false, digest: (first.body as { digest: string }).digest });
  });

  it("matches what was registered before, once the feed is current", async () => {
    const id = await register("1");
    await importFeed("late", [advisory("DLA-2", "redis", "5:7.0.15-1~deb12u9", "CVE-2026-1002")]);
    await expect.poll(async () => (await reportOf(id)).report?.findings.map((finding) => finding.advisory), { timeout: 10_000 }).toEqual(["DLA-1", "DLA-2"]);
    expect((await reportOf(id)).state).toBe("current");
  });

  it.each([
    ["a line that is cut off", [redisAdvisory, redisAdvisory.slice(0, 40)], "line 2"],
    ["a record without an id", [redisAdvisory, '{"affected":[]}'], "id"],
    ["the same id with different content", [redisAdvisory, advisory("DLA-1", "nss", "1", "CVE-2026-1")], "DLA-1"],
    ["something else than OSV", ["[1,2,3"], "line 1"],
    ["nothing", [""], "empty"],
    ["an id that no index takes", [advisory("X".repeat(3_000), "redis", "1", "CVE-2026-1")], "field id: is longer than 500 bytes"],
    ["a time before year 1", [redisAdvisory.replace("2026-07-13", "0000-07-13")], "modified"],
  ])("refuses %s whole, with the place, and leaves nothing behind", async (_what, lines, place) => {
    const before = await counts();
    const answer = await importFeed("broken", lines);
    expect(answer.body).toMatchObject({ status: 422, code: "feed-refused", detail: expect.stringContaining(place) });
    expect(await counts()).toEqual(before);
  });

  it("refuses a gzip that is cut off", async () => {
    const whole = gzipSync(`${redisAdvisory}\n`);
    const answer = await importFeed("broken", whole.subarray(0, whole.length - 12), "application/gzip");
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect((await platform.call("feeds.list", { as: "viewer" })).text).not.toContain("broken");
  });

  it("takes no idempotency key: another body under the same key would be answered and not imported", async () => {
    const answer = await platform.call("feeds.import", {
      as: "platform-admin", input: { name: "keyed" }, body: `${redisAdvisory}\n`, headers: { "content-type": "application/x-ndjson", "idempotency-key": "feed-1" },
    });
    expect(answer.body).toMatchObject({ status: 400, code: "invalid-input", detail: expect.stringContaining("idempotency key") });
  });

  it("leaves one version current and all others to the sweep, however many imports run at once", async () => {
    await Promise.all([1, 2, 3, 4].map((n) => importFeed("busy", [advisory(`BUSY-${n}`, "busy", "1", "CVE-2026-9")])));
    const states = await platform.test.database.system((db) => db.many(sql`
      select state, retired_at is null as kept, count(*)::int as n from vulnerabilities.feed_versions where feed = 'busy' group by 1, 2 order by 1`));
    expect(states).toEqual([{ state: "current", kept: true, n: 1 }, { state: "retired", kept: false, n: 3 }]);
    await platform.call("feeds.delete", { as: "platform-admin", input: { name: "busy" } });
  });

  it("leaves a version that is whole, and whose request then failed, to the sweep", async () => {
    const { database } = platform.test;
    const now = new Date().toISOString();
    const id = "01900000-0000-7000-8000-000000000001";
    await database.system(async (db) => {
      await createStagingVersion(db, { id, feed: "failed", instance: platform.platform.services.instance, now });
      await finishStaging(db, id, { records: 1, withdrawn: 0, digest: "sha256:0", newest: null } as FeedSummary, now);
    });
    const inTwoHours = { ...systemClock, now: () => systemClock.now() + 2 * 3_600_000 };
    await sweepVulnerabilities(database.system, inTwoHours);
    expect(await database.system((db) => db.many(sql`select from vulnerabilities.feed_versions where feed = 'failed'`))).toEqual([]);
  });

  it("is for the platform's administrators only", async () => {
    const answer = await platform.call("feeds.import", { as: "admin", input: { name: "x" }, body: `${redisAdvisory}\n`, headers: { "content-type": "application/x-ndjson" } });
    expect(answer.body).toMatchObject({ status: 403, code: "permission-missing" });
  });

  it("reports progress line by line where asked for", async () => {
    const answer = await platform.call("feeds.import", {
      as: "platform-admin", input: { name: "debian" }, body: `${redisAdvisory}\n`, headers: { "content-type": "application/x-ndjson", accept: "application/x-ndjson" },
    });
    const lines = answer.text.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({ progress: { step: "reading advisories", done: 1 } });
    expect(lines.at(-1)).toMatchObject({ result: { feed: "debian" } });
  });
});

describe("findings", () => {
  it("are listed for an image by both paths, with counts over all of them", async () => {
    const id = await register("2");
    const byImage = (await platform.call("vulnerabilities.list-image-findings", { as: "viewer", input: { id, limit: 1 } })).body as { items: { advisory: string }[]; summary: { findings: number }; next?: string };
    expect(byImage.items).toHaveLength(1);
    expect(byImage.summary.findings).toBe(2);
    const rest = (await platform.call("vulnerabilities.list-findings", { as: "viewer", input: { image: id, cursor: byImage.next } })).body as typeof byImage;
    expect([...byImage.items, ...rest.items].map((finding) => finding.advisory)).toEqual(["DLA-1", "DLA-2"]);
  });

  it("need exactly one of image and asset", async () => {
    expect((await platform.call("vulnerabilities.list-findings", { as: "viewer", input: {} })).status).toBe(400);
  });

  it("are found by their CVE, with the images and assets that have them", async () => {
    const recorded = await platform.call("inventory.record-scan", { as: "operator", input: { name: "web01", source: "import", components: [redis] } });
    expect(recorded.body).toMatchObject({ event: { state: "handled" } });
    const answer = (await platform.call("vulnerabilities.what-is", { as: "viewer", input: { name: "CVE-2026-1001" } })).body;
    expect(answer).toMatchObject({
      advisories: [{ id: "DLA-1", feed: "debian", affected: [{ ecosystem: "Debian:12", package: "redis", fixed: ["5:7.0.15-1~deb12u8"] }] }],
      assets: [{ name: "web01", advisories: ["DLA-1"], packages: ["redis-server 5:7.0.15-1~deb12u7"] }],
    });
    const elsewhere = (await platform.call("vulnerabilities.what-is", { as: "other-tenant-admin", input: { name: "CVE-2026-1001" } })).body;
    expect(elsewhere).toMatchObject({ advisories: [{ id: "DLA-1" }], images: [], assets: [] });
  });

  it("of components are answered without storing anything", async () => {
    const before = await platform.test.database.system((db) => db.one(sql`select count(*) as sets from software.component_sets`));
    const answer = (await platform.call("vulnerabilities.scan", { as: "viewer", input: { components: [redis] } })).body;
    expect(answer).toMatchObject({ schema: "qinfra.scan/1", mode: "server", summary: { findings: 2 } });
    expect(await platform.test.database.system((db) => db.one(sql`select count(*) as sets from software.component_sets`))).toEqual(before);
  });
});

describe("matching anew", () => {
  it("goes on past a set that cannot be matched, and says so at the end", async () => {
    const bad = await register("6", [{ ...redis, name: "bad" , purl: redis.purl.replace("redis-server", "bad") }]);
    const { orgId } = platform.person("other-tenant-admin");
    const good = await platform.call("images.register", { as: "other-tenant-admin", input: { family: "vuln", version: "6", source: "sbom", components: [redis] } });
    expect(orgId > platform.person("operator").orgId, "the good set is behind the bad one").toBe(true);
    const client = await platform.test.connect("superuser");
    await client.query("update vulnerabilities.matches set database_digest = 'sha256:older'");
    await client.end();
    const { services, metrics } = platform.platform;
    const { prepare } = rematchSubscription({
      ...services, metrics,
      appenderFor: (db, subscription, { orgId, requestId }) => services.appender(db, { orgId, actor: anonymous, operation: subscription, requestId, door: "subscription" }),
      async compute<T>(task: string, data: unknown): Promise<T> {
        if (JSON.stringify(data).includes('"bad"')) throw new Error("it has too much");
        return services.compute<T>(task, data, new AbortController().signal);
      },
    });
    await expect(prepare?.({ requestId: "req_1" } as StoredEvent, new AbortController().signal)).rejects.toThrow(/^1 of \d+ component sets could not be matched anew$/);
    expect((await reportOf(bad)).state).toBe("stale");
    const { id } = (good.body as { image: { id: string } }).image;
    expect((await platform.call("vulnerabilities.get-image-report", { as: "other-tenant-admin", input: { id } })).body).toMatchObject({ state: "current" });
    // The log shows what is sealed.
    await vi.waitFor(async () => {
      const matched = await platform.call("audit.list", { as: "other-tenant-admin", input: { type: "vulnerabilities.matched", limit: 1 } });
      expect(matched.body).toMatchObject({ items: [{ operation: "vulnerabilities.rematch", requestId: "req_1" }] });
    }, { timeout: 10_000 });
  });
});

describe("two matches of one component set", () => {
  it("leave the one that was made with the advisories that are current, whichever comes last", async () => {
    const { orgId } = platform.person("operator");
    const id = await register("5", [{ ...redis, name: "redis-tools", purl: redis.purl.replace("redis-server", "redis-tools") }]);
    const before = (await reportOf(id)).report as ScanReport;
    expect(before.findings).not.toEqual([]);
    const replace = (report: ScanReport) => platform.test.database.tenant(orgId, async (db) => {
      const { id: componentSetId } = await db.one<{ id: string }>(sql`select component_set_id as id from images.golden_images where version = '5'`);
      return replaceMatch(db, { orgId, componentSetId, report, now: new Date().toISOString() });
    });
    const older: ScanReport = { ...before, advisories: { digest: "sha256:older", newest: null }, findings: [], summary: { ...before.summary, findings: 0 } };
    expect(await replace(older)).toBe(false);
    expect((await reportOf(id)).report).toEqual(before);
    expect(await replace(before)).toBe(true);
  });
});

describe("a match that is given up", () => {
  it("is said as failed, not as pending and not as no findings", async () => {
    const { orgId } = platform.person("operator");
    const id = await register("3", [{ ...redis, name: "redis-sentinel", purl: redis.purl.replace("redis-server", "redis-sentinel") }]);
    const client = await platform.test.connect("superuser");
    await client.query("delete from vulnerabilities.matches where org_id = $1 and component_set_id = (select component_set_id from images.golden_images where version = '3')", [orgId]);
    expect((await reportOf(id)).state).toBe("pending");
    await client.query(`insert into events.dead_letters (subscription, event_id, org_id, position, attempts, reason, at)
      select 'vulnerabilities.match', id, org_id, position, 5, 'broken', now() from events.log where type = 'software.recorded' and subject = $1`, [id]);
    await client.end();
    expect(await reportOf(id)).toMatchObject({ state: "failed", report: null });
  });
});

describe("deleting a feed", () => {
  it("takes its findings away", async () => {
    const id = await register("4");
    await platform.call("feeds.delete", { as: "platform-admin", input: { name: "late" } });
    await expect.poll(async () => (await reportOf(id)).report?.findings.map((finding) => finding.advisory), { timeout: 10_000 }).toEqual(["DLA-1"]);
  });
});
