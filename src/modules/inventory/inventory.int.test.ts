import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testPlatform, type TestPlatform } from "../../app/testing.ts";

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
