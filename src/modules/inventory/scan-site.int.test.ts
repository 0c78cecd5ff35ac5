import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { organizationOf, testPlatform, type Answer, type TestPlatform } from "../../app/testing.ts";
import { sql } from "../../platform/database/sql.ts";
import { until } from "../../platform/events/testing.ts";
import { uuidOf } from "../../platform/ids.ts";
import { opensshKey } from "./testing/openssh-key.ts";
import { behaviours, simulatedSsh, type SimulatedSsh } from "./testing/simulated-ssh.ts";

const feed = `${JSON.stringify({
  id: "DEBIAN-CVE-2026-1", modified: "2026-11-01T00:00:00Z", severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N" }],
  affected: [{ package: { ecosystem: "Debian:12", name: "openssl" }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: "3.0.17-1" }] }] }],
})}\n`;

interface Run {
  state: string;
  failure: { code: string; message: string } | null;
  output: { hosts: number; recorded: number; failed: number; gone: number; pending: number; findings: Record<string, number>; failures: { host: string; code: string; reason: string }[] };
  progress: unknown;
}

let platform: TestPlatform;
let ssh: SimulatedSsh;
const pathBefore = process.env["PATH"];
beforeAll(async () => {
  ssh = await simulatedSsh();
  process.env["PATH"] = ssh.path;
  platform = await testPlatform({ workflows: true });
  await platform.call("feeds.import", { as: "platform-admin", input: { name: "debian" }, body: feed, headers: { "content-type": "application/x-ndjson" } });
});
afterAll(async () => {
  await platform.close();
  process.env["PATH"] = pathBefore;
  await ssh.remove();
});

const ask = (id: string, input: Record<string, unknown>): Promise<Answer> => platform.call(id, { as: "operator", input });
let sites = 0;

/** A site whose hosts behave so; the n-th is at 10.N.BEHAVIOUR.n. */
async function siteOf(...hosts: (keyof typeof behaviours)[]): Promise<string> {
  const number = sites += 1;
  const { id } = (await ask("inventory.create-site", { name: `site${number}`, user: "qinfra" })).body as { id: string };
  const key = await platform.call("inventory.set-site-key", { as: "operator", input: { id }, body: opensshKey().privateKey, headers: { "content-type": "application/octet-stream" } });
  expect(key.status, key.text).toBe(200);
  if (hosts.length === 0) return id;
  const added = await ask("inventory.add-site-hosts", { id, hosts: hosts.map((behaviour, i) => ({ name: hostName(number, i), address: `10.${number}.${behaviours[behaviour]}.${i}` })) });
  expect(added.body).toEqual({ id, hosts: hosts.length });
  return id;
}

const hostName = (site: number, i: number): string => `s${site}-h${String(i).padStart(3, "0")}`;

async function ended(run: string): Promise<Run> {
  let shown: Run | undefined;
  await until(async () => {
    shown = (await ask("workflows.get", { id: run })).body as Run;
    return !["waiting", "running"].includes(shown.state);
  });
  return shown as Run;
}

async function scanned(id: string, options: Record<string, unknown> = {}): Promise<Run> {
  const started = await ask("inventory.scan-site", { id, ...options });
  expect(started.status, started.text).toBe(201);
  return ended((started.body as { run: string }).run);
}

describe("scanning a site", () => {
  it("given 120 hosts of which some fail, then the others are recorded and matched, and it says which failed and why", async () => {
    const id = await siteOf(...Array.from({ length: 120 }, (_, i) => (i === 7 ? "changedKey" : i === 50 ? "damaged" : i === 101 ? "refuses" : "answers") as keyof typeof behaviours));
    const run = await scanned(id, { waveSize: 30 });
    expect(run).toMatchObject({ state: "succeeded", failure: null, progress: { step: "waiting for findings", done: 120, total: 120 } });
    const { failures, ...counts } = run.output;
    expect(counts).toEqual({ hosts: 120, recorded: 117, failed: 3, gone: 0, pending: 0, findings: { all: 117, critical: 0, high: 117, medium: 0, low: 0 } });
    expect(failures.map(({ host, code }) => [host, code])).toEqual([[hostName(sites, 7), "host-key-changed"], [hostName(sites, 50), "damaged-database"], [hostName(sites, 101), "connection-refused"]]);
    const { items } = (await ask("inventory.list-site-hosts", { id, failed: true })).body as { items: { name: string; asset: string | null; failure: { code: string; reason: string } }[] };
    expect(items.map(({ name, failure }) => ({ host: name, ...failure }))).toEqual(failures);
    expect((await ask("inventory.get-site", { id })).body).toMatchObject({ hosts: 120, failed: 3, assets: 117 });
    const asset = (await ask("inventory.list-assets", { site: "site1", limit: 1 })).body as { items: unknown[] };
    expect(asset.items).toMatchObject([{ name: hostName(1, 0), source: "ssh", packages: 1, os: { id: "debian" }, facts: { kernelName: "Linux", hostName: "10.1.0.0" } }]);
  });

  it("given a host that is better at the next scan, then it is recorded and no longer among those that failed", async () => {
    const id = await siteOf("changedKey");
    expect((await scanned(id)).output).toMatchObject({ recorded: 0, failed: 1 });
    await ask("inventory.add-site-hosts", { id, hosts: [{ name: hostName(sites, 0), address: `10.${sites}.${behaviours.answers}.0` }] });
    expect((await scanned(id)).output).toMatchObject({ recorded: 1, failed: 0, failures: [] });
  });

  it("given more failures in a wave than the limit, then it ends there, and says so", async () => {
    const id = await siteOf("answers", "answers", "changedKey", "changedKey", "answers", "answers");
    const run = await scanned(id, { waveSize: 2, failureLimit: 1 });
    expect(run).toMatchObject({ state: "failed", failure: { code: "too-many-failed", message: expect.stringContaining("2 of 2 hosts of a wave") as string } });
    const { items } = (await ask("inventory.list-site-hosts", { id })).body as { items: { triedAt: string | null }[] };
    expect(items.map(({ triedAt }) => triedAt !== null)).toEqual([true, true, true, true, false, false]);
  });

  it("given an answer that is cut each time, then the host was tried twice and counts as failed", async () => {
    const id = await siteOf("dies");
    expect((await scanned(id)).output.failures).toMatchObject([{ code: "truncated-answer", reason: expect.stringContaining("ends too early") as string }]);
  });

  it("given an address of the server itself, then it is refused", async () => {
    const id = await siteOf();
    await ask("inventory.add-site-hosts", { id, hosts: [{ name: "itself", address: "127.0.0.1" }] });
    expect((await scanned(id)).output.failures).toMatchObject([{ host: "itself", code: "address-refused" }]);
  });

  it("given a site without hosts, then it is over at once", async () => {
    expect((await scanned(await siteOf())).output).toMatchObject({ hosts: 0, recorded: 0, failed: 0, pending: 0 });
  });

  it("given a quota that is used up, then the hosts beyond it count as failed", async () => {
    const id = await siteOf("answers", "answers");
    const { orgId } = platform.person("operator");
    const { assets } = Object.fromEntries((await platform.platform.services.database.tenant(orgId, (db) => platform.platform.services.quotas(db, orgId).list())).map(({ resource, used }) => [resource, used]));
    const setAssets = (most: number | null): Promise<Answer> => platform.call("organizations.set-quotas", { as: "platform-admin", input: { id: organizationOf(platform.person("operator")), assets: most } });
    expect((await setAssets((assets ?? 0) + 1)).status).toBe(200);
    expect((await scanned(id)).output).toMatchObject({ recorded: 1, failed: 1, failures: [{ code: "quota-exceeded" }] });
    expect((await setAssets(null)).status).toBe(200);
  });
});

describe("a schedule", () => {
  it("given one of a site, then the site is scanned when it is due", async () => {
    const id = await siteOf("answers");
    const schedule = await ask("schedules.create", { name: "nightly-site", workflow: "inventory.scan-site", cron: "0 3 1 1 *", input: { site: id } });
    expect(schedule.status, schedule.text).toBe(201);
    const due = new Date(Date.now() - 1_000).toISOString();
    await platform.test.database.tenant(platform.person("operator").orgId, (db) => db.run(sql`
      update platform.workflow_schedules set next_at = ${due} where id = ${uuidOf("sch", (schedule.body as { id: string }).id)}`));
    await until(async () => ((await ask("inventory.list-site-hosts", { id })).body as { items: { asset: string | null }[] }).items[0]?.asset !== null);
  });
});
