import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { organizationOf, testPlatform, type Answer, type TestPlatform } from "../../app/testing.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.close());

const components = [{ name: "openssl", version: "3.0.17-1", purl: "pkg:deb/debian/openssl@3.0.17-1?arch=amd64&distro=debian-12" }];
const own = (): string => organizationOf(platform.person("admin"));

async function set(limits: Record<string, unknown>): Promise<void> {
  const answer = await platform.call("organizations.set-quotas", { as: "platform-admin", input: { id: own(), ...limits } });
  expect(answer.status, answer.text).toBe(200);
}

async function quotas(): Promise<Record<string, { used: number; limit?: number; from: string }>> {
  const answer = await platform.call("organizations.get-quotas", { as: "viewer", input: { id: "current" } });
  expect(answer.status, answer.text).toBe(200);
  return Object.fromEntries((answer.body as { items: { resource: string; used: number; from: string }[] }).items.map(({ resource, ...rest }) => [resource, rest]));
}

let serial = 0;

/** Fifty wait for one another, which on a slow machine is longer than some wait for the database. */
async function decided(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (answer.status !== 503) return answer;
  }
}

const scan = (name = `host-${++serial}`) => platform.call("inventory.record-scan", { as: "operator", input: { name, source: "import", components } });
const register = (version = String(++serial)) => platform.call("images.register", { as: "operator", input: { family: "counted", version, source: "sbom", components } });

describe("what is counted", () => {
  it("given assets, images and scans are made and deleted, then there are so many, and a failed change has used nothing", async () => {
    const before = await quotas();
    const asset = (await scan("twice")).body as { asset: { id: string } };
    await scan("twice");
    const image = (await register("once")).body as { image: { id: string } };
    expect((await register("once")).body).toMatchObject({ code: "image-version-taken" });
    const used = async () => Object.fromEntries(Object.entries(await quotas()).map(([resource, quota]) => [resource, quota.used - (before[resource]?.used ?? 0)]));
    expect(await used()).toEqual({ assets: 1, images: 1, scans: 3, storage: 0 });
    await platform.call("inventory.delete-asset", { as: "admin", input: { id: asset.asset.id } });
    await platform.call("images.delete", { as: "admin", input: { id: image.image.id } });
    expect(await used()).toEqual({ assets: 0, images: 0, scans: 3, storage: 0 });
  });
});

describe("a limit", () => {
  it("given the last one is taken, then the error says what, how many, and what to do", async () => {
    for (const name of ["one", "two"]) await scan(name);
    const { assets } = await quotas();
    await set({ assets: assets?.used ?? 0 });
    const answer = await scan();
    expect(answer.status).toBe(403);
    expect(answer.body).toMatchObject({ code: "quota-exceeded", data: { resource: "assets", limit: assets?.used, used: assets?.used, wanted: 1 } });
    expect((answer.body as { detail: string }).detail).toBe(`The organization may have ${assets?.used} assets; it has ${assets?.used}, and this needs 1 more. Delete assets that are not needed, or ask an administrator of the platform for a larger quota.`);
    await set({ reset: ["assets"] });
    expect((await scan()).status).toBe(200);
  });

  it("given a known asset is scanned again at the limit of assets, then that is no new asset", async () => {
    await scan("known");
    await set({ assets: (await quotas())["assets"]?.used ?? 0 });
    expect((await scan("known")).status).toBe(200);
    await set({ reset: ["assets"] });
  });

  it.each(["assets", "images", "scans"] as const)("given fifty at once with room for seven, then seven are made: %s", async (resource) => {
    const before = (await quotas())[resource]?.used ?? 0;
    await set({ [resource]: before + 7 });
    const answers = await Promise.all(Array.from({ length: 50 }, () => decided(() => (resource === "images" ? register() : scan()))));
    expect(answers.filter(({ status }) => status < 300)).toHaveLength(7);
    expect(new Set(answers.filter(({ status }) => status >= 300).map(({ body }) => (body as { code: string }).code))).toEqual(new Set(["quota-exceeded"]));
    expect((await quotas())[resource]).toEqual({ used: before + 7, limit: before + 7, from: "own" });
    await set({ reset: [resource] });
    expect((await quotas())[resource]).toEqual({ used: before + 7, from: "default" });
  });

  it("given a limit below what is used, then nothing is taken away, and null is no limit", async () => {
    await scan();
    await set({ assets: 0 });
    expect((await quotas())["assets"]).toMatchObject({ limit: 0, from: "own" });
    expect((await scan()).body).toMatchObject({ code: "quota-exceeded" });
    await set({ assets: null });
    expect((await quotas())["assets"]).toEqual({ used: expect.any(Number) as number, from: "own" });
    expect((await scan()).status).toBe(200);
  });
});

describe("who may", () => {
  it("see: members their own, administrators of the platform any", async () => {
    expect((await platform.call("organizations.get-quotas", { as: "other-tenant-admin", input: { id: own() } })).body).toMatchObject({ code: "organization-not-found" });
    expect((await platform.call("organizations.get-quotas", { as: "platform-admin", input: { id: own() } })).status).toBe(200);
    expect((await platform.call("organizations.get-quotas", { as: "platform-admin", input: { id: "org_01jd0000000000000000000000" } })).body).toMatchObject({ code: "organization-not-found" });
  });

  it("set: administrators of the platform, for what there is, each limit once", async () => {
    expect((await platform.call("organizations.set-quotas", { as: "admin", input: { id: own(), assets: 5 } })).body).toMatchObject({ code: "permission-missing" });
    expect((await platform.call("organizations.set-quotas", { as: "platform-admin", input: { id: "org_01jd0000000000000000000000", assets: 5 } })).body).toMatchObject({ code: "organization-not-found" });
    expect((await platform.call("organizations.set-quotas", { as: "platform-admin", input: { id: own(), assets: 5, reset: ["assets"] } })).body).toMatchObject({ code: "invalid-input" });
  });

  it("and both chains keep it", async () => {
    await set({ scans: 5, reset: ["storage"] });
    await set({ reset: ["scans"] });
    const superuser = await platform.test.connect("superuser");
    const { rows } = await superuser.query<{ org_id: string; data: unknown }>("select org_id, body::jsonb->'data' as data from events.log where type = 'organizations.quotas-set' and body::jsonb->'data' = $1", [JSON.stringify({ limits: { scans: 5 }, reset: ["storage"] })]);
    await superuser.end();
    expect(rows.map(({ org_id }) => org_id).sort()).toEqual([platform.person("admin").orgId, platform.person("platform-admin").orgId].sort());
  });
});
