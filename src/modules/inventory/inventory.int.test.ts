import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testPlatform, type Answer, type TestPlatform } from "../../app/testing.ts";
import { sql } from "../../platform/database/sql.ts";
import { uuidOf } from "../../platform/ids.ts";
import { siteKeyFor } from "./site-store.ts";
import { opensshKey } from "./testing/openssh-key.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.close());

const bash = { name: "bash", version: "5.2.15-2", purl: "pkg:deb/debian/bash@5.2.15-2?arch=amd64&distro=debian-12" };

interface Asset {
  id: string;
  name: string;
  criticality: string;
  packages: number | null;
  tags: Record<string, string>;
}

async function record(name: string, more: Record<string, unknown> = {}): Promise<Asset> {
  const answer = await platform.call("inventory.record-scan", { as: "operator", input: { name, source: "import", components: [bash], ...more } });
  expect(answer.status, answer.text).toBe(200);
  return (answer.body as { asset: Asset }).asset;
}

describe("recording a scan", () => {
  it("makes the asset, and knows it again by its name", async () => {
    const first = await record("db01", { facts: { kernel: "6.1.0-44-amd64", cpus: 4 } });
    const second = await record("db01", { facts: { kernel: "6.1.0-45-amd64", cpus: 4 }, components: [] });
    expect(second).toMatchObject({ id: first.id, packages: 0, facts: { kernel: "6.1.0-45-amd64" } });
  });

  it("leaves alone what people set by hand", async () => {
    const { id } = await record("db02");
    await platform.call("inventory.update-asset", { as: "operator", input: { id, criticality: "critical", tags: { team: "data" } } });
    expect(await record("db02")).toMatchObject({ id, criticality: "critical", tags: { team: "data" } });
  });

  it("is one asset when two scans of a new name arrive at once", async () => {
    const both = await Promise.all([record("race01"), record("race01")]);
    expect(both[0]?.id).toBe(both[1]?.id);
  });
});

describe("sites", () => {
  it("hold assets until they are taken out again", async () => {
    expect((await platform.call("inventory.create-site", { as: "operator", input: { name: "frankfurt" } })).status).toBe(201);
    expect((await platform.call("inventory.create-site", { as: "operator", input: { name: "frankfurt" } })).body).toMatchObject({ code: "site-name-taken" });
    const { id } = await record("fra01");
    await platform.call("inventory.update-asset", { as: "operator", input: { id, site: "frankfurt" } });
    const listed = (await platform.call("inventory.list-assets", { as: "viewer", input: { site: "frankfurt" } })).body as { items: Asset[] };
    expect(listed.items.map((asset) => asset.name)).toEqual(["fra01"]);
    expect((await platform.call("inventory.list-sites", { as: "viewer" })).body).toMatchObject({ items: [{ name: "frankfurt", assets: 1 }] });
    expect((await platform.call("inventory.update-asset", { as: "operator", input: { id, site: null } })).body).toMatchObject({ site: null });
  });

  it("have to exist", async () => {
    const { id } = await record("fra02");
    expect((await platform.call("inventory.update-asset", { as: "operator", input: { id, site: "nowhere" } })).body).toMatchObject({ status: 404, code: "site-not-found" });
  });
});

describe("how the hosts of a site are reached", () => {
  const ask = (id: string, input: Record<string, unknown>): Promise<Answer> => platform.call(id, { as: "operator", input });
  const setKey = (id: string, body: string): Promise<Answer> => platform.call("inventory.set-site-key", { as: "operator", input: { id }, body, headers: { "content-type": "application/octet-stream" } });

  async function newSite(name: string): Promise<string> {
    return ((await ask("inventory.create-site", { name, user: "qinfra" })).body as { id: string }).id;
  }

  it("is kept, and its key is sealed and never shown", async () => {
    const id = await newSite("reach");
    const { privateKey, publicKey } = opensshKey();
    const set = (await setKey(id, privateKey)).body as { keyFingerprint: string };
    expect(set.keyFingerprint).toMatch(/^SHA256:/);
    const changed = await ask("inventory.update-site", { id, name: "reached", port: 2222, knownHosts: `@cert-authority * ${publicKey}\n`, trustOnFirstUse: true });
    expect(changed.body).toMatchObject({ name: "reached", user: "qinfra", port: 2222, keyFingerprint: set.keyFingerprint, trustOnFirstUse: true, knownHosts: `@cert-authority * ${publicKey}\n` });
    for (const answer of [changed, await ask("inventory.get-site", { id }), await ask("inventory.list-sites", {})]) expect(answer.text).not.toContain("PRIVATE");
    const { orgId } = platform.person("operator");
    const stored = await platform.test.database.tenant(orgId, (db) => db.one<{ key: string }>(sql`select private_key as key from inventory.sites where id = ${uuidOf("sit", id)}`));
    expect(stored.key).not.toContain(privateKey.split("\n")[1]);
    expect((await platform.platform.services.secrets.open(stored.key, siteKeyFor(orgId))).toString()).toBe(privateKey);
  });

  it.each([
    ["a key with a passphrase", () => opensshKey("aes256-ctr").privateKey, "invalid-input"],
    ["another file", () => "x".repeat(20_000), "too-large"],
  ])("refuses %s", async (what, body, code) => {
    expect((await setKey(await newSite(what), body())).body).toMatchObject({ code });
  });

  it("refuses known hosts that ssh would pass over", async () => {
    expect((await ask("inventory.create-site", { name: "wrong", knownHosts: "web01\n" })).body).toMatchObject({ code: "invalid-input", detail: expect.stringContaining("line 1") as string });
  });

  it("cannot be scanned before it is known", async () => {
    const { id } = (await ask("inventory.create-site", { name: "incomplete" })).body as { id: string };
    expect((await ask("inventory.scan-site", { id })).body).toMatchObject({ status: 409, code: "site-incomplete", detail: expect.stringContaining("--user") as string });
    await ask("inventory.update-site", { id, user: "qinfra" });
    expect((await ask("inventory.scan-site", { id })).body).toMatchObject({ code: "site-incomplete", detail: expect.stringContaining("set-key") as string });
  });

  it("goes for hosts that are added, changed, listed by name and removed", async () => {
    const id = await newSite("with hosts");
    const { publicKey } = opensshKey();
    expect((await ask("inventory.add-site-hosts", { id, hosts: [{ name: "b", address: "10.0.0.2", hostKey: publicKey }, { name: "a" }, { name: "c" }] })).body).toEqual({ id, hosts: 3 });
    await ask("inventory.add-site-hosts", { id, hosts: [{ name: "b", address: "10.0.0.3", port: 2222 }] });
    const first = (await ask("inventory.list-site-hosts", { id, limit: 2 })).body as { items: unknown[]; next: string };
    expect(first.items).toMatchObject([{ name: "a", address: "a", port: null, hostKey: null, asset: null, failure: null }, { name: "b", address: "10.0.0.3", port: 2222, hostKey: publicKey }]);
    expect((await ask("inventory.list-site-hosts", { id, limit: 2, cursor: first.next })).body).toMatchObject({ items: [{ name: "c" }] });
    expect((await ask("inventory.remove-site-hosts", { id, names: ["a", "z"] })).body).toEqual({ id, removed: 1, hosts: 2 });
    const other = await newSite("another");
    expect((await ask("inventory.add-site-hosts", { id: other, hosts: [{ name: "d" }, { name: "b" }] })).body).toMatchObject({ code: "host-elsewhere", detail: expect.stringContaining("b belongs") as string });
    expect((await ask("inventory.get-site", { id: other })).body).toMatchObject({ hosts: 0 });
    expect((await ask("inventory.add-site-hosts", { id, hosts: [{ name: "e" }, { name: "e" }] })).body).toMatchObject({ code: "invalid-input" });
  });

  it.each([{ name: "web:22" }, { name: "a", address: "fe80" + ":".repeat(3) }, { name: "me@web" }])("refuses $name, which no ssh could call", async (host) => {
    const id = await newSite(`with ${host.name.replace(/[^a-z]/g, "-")}`);
    expect((await ask("inventory.add-site-hosts", { id, hosts: [host] })).body).toMatchObject({ code: "invalid-input", detail: expect.stringContaining("is no address") as string });
    expect((await ask("inventory.add-site-hosts", { id, hosts: [{ name: "web:22", address: "2001:db8::7" }] })).body).toEqual({ id, hosts: 1 });
    await ask("inventory.remove-site-hosts", { id, names: ["web:22"] });
  });

  it("is for as many sites as an organization may have, and no more", async () => {
    const within = (query: ReturnType<typeof sql>): Promise<number> => platform.test.database.tenant(platform.person("operator").orgId, (db) => db.run(query));
    await within(sql`insert into inventory.sites (org_id, id, name, created_at) select ${platform.person("operator").orgId}, gen_random_uuid(), 'many ' || n, now() from generate_series(1, 10_000) n`);
    expect((await ask("inventory.create-site", { name: "one more" })).body).toMatchObject({ status: 409, code: "site-limit" });
    await within(sql`delete from inventory.sites where name like 'many %'`);
  });

  it("goes with the site, whose assets stay", async () => {
    const id = await newSite("short-lived");
    await ask("inventory.add-site-hosts", { id, hosts: [{ name: "left01" }] });
    const asset = await record("left01");
    await ask("inventory.update-asset", { id: asset.id, site: "short-lived" });
    expect((await platform.call("inventory.delete-site", { as: "admin", input: { id } })).body).toEqual({ deleted: id });
    expect((await ask("inventory.get-asset", { id: asset.id })).body).toMatchObject({ site: null });
    expect((await ask("inventory.get-site", { id })).status).toBe(404);
  });
});

describe("listing assets", () => {
  it("goes by name, page by page", async () => {
    for (const name of ["page-c", "page-a", "page-b"]) await record(name);
    const first = (await platform.call("inventory.list-assets", { as: "viewer", input: { limit: 1000 } })).body as { items: Asset[] };
    const names = first.items.map((asset) => asset.name);
    expect(names.toSorted()).toEqual(names);
    const page = (await platform.call("inventory.list-assets", { as: "viewer", input: { limit: 2 } })).body as { items: Asset[]; next: string };
    const next = (await platform.call("inventory.list-assets", { as: "viewer", input: { limit: 2, cursor: page.next } })).body as { items: Asset[] };
    expect([...page.items, ...next.items].map((asset) => asset.name)).toEqual(names.slice(0, 4));
  });

  it("shows nothing of another organization, whose asset of the same name is another one", async () => {
    const mine = await record("shared-name");
    const answer = await platform.call("inventory.record-scan", { as: "other-tenant-admin", input: { name: "shared-name", source: "import", components: [bash] } });
    const theirs = (answer.body as { asset: Asset }).asset;
    expect(theirs.id).not.toBe(mine.id);
    expect((await platform.call("inventory.get-asset", { as: "other-tenant-admin", input: { id: mine.id } })).status).toBe(404);
  });
});
