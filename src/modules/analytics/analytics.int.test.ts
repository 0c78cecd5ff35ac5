import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sql } from "../../platform/database/sql.ts";
import { digestOf } from "../../platform/events/projection-store.ts";
import { until } from "../../platform/events/testing.ts";
import { testPlatform, type TestCall, type TestPlatform } from "../../app/testing.ts";
import { activityProjection, exposureProjection } from "./projections.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.close());

const both = [activityProjection, exposureProjection];
const feed = `${JSON.stringify({
  id: "DEBIAN-CVE-2026-1", modified: "2026-11-01T00:00:00Z", summary: "An example",
  severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
  affected: [{ package: { ecosystem: "Debian:12", name: "openssl" }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: "3.0.17-1" }] }] }],
})}\n`;
const openssl = (version: string) => [{ name: "openssl", version, purl: `pkg:deb/debian/openssl@${version}?arch=amd64&distro=debian-12` }];

async function succeed<T>(operation: string, call: TestCall): Promise<T> {
  const answer = await platform.call(operation, call);
  expect([200, 201, 202], `${operation}: ${answer.text}`).toContain(answer.status);
  return answer.body as T;
}
const scan = (name: string, version: string, as: TestCall["as"] = "admin") =>
  succeed<{ asset: { id: string } }>("inventory.record-scan", { as: as as "admin", input: { name, source: "import", os: { id: "debian", versionId: "12" }, components: openssl(version) } });

/** The whole of the last days, however late it is: a test may begin before midnight and end after it. */
async function total(metric: string, as: "admin" | "viewer" | "other-tenant-admin" | "platform-admin" = "viewer"): Promise<number> {
  const { kind, items } = await succeed<{ kind: string; items: { value: number }[] }>("analytics.series", { as, input: { metric } });
  return kind === "level" ? items.at(-1)?.value ?? 0 : items.reduce((sum, { value }) => sum + value, 0);
}

async function counted(): Promise<void> {
  await until(async () => platform.test.database.system(async (db) => (await db.one<{ done: boolean }>(sql`
    select not exists (select from events.log where position is null)
      and (select count(*) = ${both.length} from events.projections where state = 'active' and position = (select position from events.head)) as done`)).done));
}

describe("daily series", () => {
  it("given what two organizations did, then each sees its own, day by day", async () => {
    await succeed("feeds.import", { as: "platform-admin", input: { name: "debian" }, body: feed, headers: { "content-type": "application/x-ndjson" } });
    const first = await scan("web01", "3.0.1-1");
    await scan("web02", "3.0.1-1");
    await scan("web02", "3.0.17-1");
    await scan("elsewhere", "3.0.2-1", "other-tenant-admin");
    await succeed("images.register", { as: "admin", input: { family: "base", version: "1", source: "sbom", components: openssl("3.0.1-1") } });
    await succeed("inventory.delete-asset", { as: "admin", input: { id: first.asset.id } });
    await platform.call("feeds.list", { as: "anonymous" });
    expect((await platform.call("images.register", { as: "viewer", input: { family: "base", version: "2", source: "sbom", components: [] } })).status).toBe(403);
    await counted();

    const seen = async (as: "viewer" | "other-tenant-admin") => Object.fromEntries(await Promise.all(
      ["assets.known", "scans.completed", "images.known", "images.registered", "findings.open.critical", "findings.opened.critical", "findings.resolved.critical", "images.findings.critical", "access.refused"]
        .map(async (metric) => [metric, await total(metric, as)] as const)));
    expect(await seen("viewer")).toEqual({
      "assets.known": 1, "scans.completed": 4, "images.known": 1, "images.registered": 1, "findings.open.critical": 0, "findings.opened.critical": 2, "findings.resolved.critical": 2,
      "images.findings.critical": 1, "access.refused": 1,
    });
    expect(await seen("other-tenant-admin")).toEqual({
      "assets.known": 1, "scans.completed": 1, "images.known": 0, "images.registered": 0, "findings.open.critical": 1, "findings.opened.critical": 1, "findings.resolved.critical": 0,
      "images.findings.critical": 0, "access.refused": 0,
    });
    expect(await total("feeds.published", "platform-admin")).toBe(1);
  });

  it("given advisories that go, then what was open on assets is resolved", async () => {
    await succeed("feeds.delete", { as: "platform-admin", input: { name: "debian" } });
    await until(async () => (await counted(), await total("findings.open.critical", "other-tenant-admin")) === 0);
    expect(await total("findings.resolved.critical", "other-tenant-admin")).toBe(1);
    expect(await total("images.findings.critical")).toBe(0);
  });

  it("given days, then each has its value, and a range that makes no sense is refused", async () => {
    const series = await succeed<{ complete: boolean; items: { day: string; value: number }[] }>("analytics.series", { as: "viewer", input: { metric: "assets.known", from: "2024-02-28", to: "2024-03-01" } });
    expect(series.items).toEqual([{ day: "2024-02-28", value: 0 }, { day: "2024-02-29", value: 0 }, { day: "2024-03-01", value: 0 }]);
    for (const [input, says] of [
      [{ metric: "assets.known", from: "2026-03-02", to: "2026-03-01" }, "2026-03-02 is after 2026-03-01"],
      [{ metric: "assets.known", from: "2000-01-01", to: "2026-03-01" }, "at most 1100 are shown at once"],
      [{ metric: "assets.known", from: "2026-02-30" }, "from"], [{ metric: "weather" }, "metric"],
    ] as const) {
      const refused = await platform.call("analytics.series", { as: "viewer", input });
      expect(refused.status).toBe(400);
      expect(refused.text).toContain(says);
    }
  });
});

describe("projections", () => {
  it("given it is built anew while more comes, then it is the same, and people read it all the time", async () => {
    await counted();
    const before = await total("scans.completed");
    for (const { id } of both) {
      const asked = await succeed<{ rebuild: { build: number; reason: string } | null }>("projections.rebuild", { as: "platform-admin", input: { name: id } });
      expect(asked.rebuild).toMatchObject({ build: 2, reason: "asked" });
    }
    for (let i = 0; i < 5; i++) {
      await scan(`more-${i}`, "3.0.1-1");
      expect(await total("scans.completed")).toBeGreaterThanOrEqual(before);
    }
    for (const { id } of both) expect(await succeed("projections.watch", { as: "platform-admin", input: { name: id } })).toMatchObject({ build: 2, rebuild: null, matches: true });
    const list = async () => (await succeed<{ items: { name: string; build: number; matches: boolean | null; rebuild: unknown; removing: boolean }[] }>("projections.list", { as: "platform-admin" })).items;
    await until(async () => (await list()).every(({ build, removing }) => build === 2 && !removing));
    await counted();
    expect(await list()).toMatchObject(both.map(({ id }) => ({ name: id, state: "current", lag: 0, lagSeconds: 0, matches: true, rebuild: null, problem: null })));
    expect(await total("scans.completed")).toBe(before + 5);
    const events = await succeed<{ items: { type: string }[] }>("audit.list", { as: "platform-admin", input: { type: "projections.rebuild-asked" } });
    expect(events.items).toHaveLength(2);
  });

  it("given pages of any size, then the same follows", async () => {
    await counted();
    for (const projection of both) {
      const digest = await platform.test.database.system(async (db) => {
        const { build } = await db.one<{ build: number }>(sql`select build from events.projections where name = ${projection.id} and state = 'active'`);
        return digestOf(db, projection.tables, build);
      });
      for (const size of [1, 3, 1_000]) {
        const again = platform.test.database.system(async (db) => {
          const { readByPosition } = await import("../../platform/events/read.ts");
          for (let position = 0; ; ) {
            const page = await readByPosition(db, position, { types: projection.on, limit: size });
            if (page.end === position) break;
            if (page.events.length > 0) await projection.apply(db, 1_000 + size, page.events);
            position = page.end;
          }
          expect(await digestOf(db, projection.tables, 1_000 + size), `${projection.id} by ${size}`).toBe(digest);
          throw new Error("undone");
        });
        await expect(again).rejects.toThrow("undone");
      }
    }
  });

  it("is cancelled, or nothing happens; one that there is not is said so", async () => {
    expect(await succeed("projections.cancel-rebuild", { as: "platform-admin", input: { name: "analytics.activity" } })).toMatchObject({ name: "analytics.activity", rebuild: null });
    for (const operation of ["projections.get", "projections.watch", "projections.rebuild", "projections.cancel-rebuild"]) {
      expect(await platform.call(operation, { as: "platform-admin", input: { name: "analytics.weather" } })).toMatchObject({ status: 404, body: { code: "projection-not-found" } });
      expect((await platform.call(operation, { as: "admin", input: { name: "analytics.activity" } })).status).toBe(403);
    }
  });

  it("says in the metrics how far it is", async () => {
    await counted();
    const { text } = await platform.platform.metrics.scrape(undefined);
    expect(text).toMatch(/^qinfra_projection_lag_events\{projection="analytics\.activity"\} 0$/m);
    expect(text).toMatch(/^qinfra_projection_lag_seconds\{projection="analytics\.exposure"\} 0$/m);
    expect(text).toMatch(/^qinfra_projection_events_total\{projection="analytics\.activity"\} [1-9]/m);
  });

  it("writes tables that say whose a row is and of which build", async () => {
    const tables = both.flatMap((projection) => projection.tables);
    const found = await platform.test.database.system((db) => db.many<{ name: string }>(sql`
      select c.oid::regclass::text as name from pg_class c where c.oid::regclass::text = any(${tables})
        and (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attname in ('org_id', 'build')) = 2`));
    expect(found.map(({ name }) => name).sort()).toEqual(tables.toSorted());
  });
});
