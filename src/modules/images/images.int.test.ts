import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testPlatform, type TestPlatform } from "../../app/testing.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.close());

const openssl = { name: "openssl", version: "3.0.17-1~deb12u2", purl: "pkg:deb/debian/openssl@3.0.17-1~deb12u2?arch=amd64&distro=debian-12" };
const bash = { name: "bash", version: "5.2.15-2", purl: "pkg:deb/debian/bash@5.2.15-2?arch=amd64&distro=debian-12" };

interface Registered {
  image: { id: string; family: string; version: string; packages: number; tags: Record<string, string> };
  event: { id: string; state: string };
}

async function register(family: string, version: string, more: Record<string, unknown> = {}): Promise<Registered> {
  const answer = await platform.call("images.register", {
    as: "operator", input: { family, version, source: "dpkg-status", os: { id: "debian", versionId: "12" }, components: [openssl, bash], ...more },
  });
  expect(answer.status, answer.text).toBe(201);
  return answer.body as Registered;
}

describe("registering an image", () => {
  it("answers the image and waits until its findings are known", async () => {
    const { image, event } = await register("base", "1", { tags: { team: "platform" } });
    expect(image).toMatchObject({ family: "base", version: "1", packages: 2, tags: { team: "platform" } });
    expect(event.state).toBe("handled");
    expect((await platform.call("images.get", { as: "viewer", input: { id: image.id } })).body).toMatchObject({ id: image.id, os: { id: "debian", versionId: "12" } });
  });

  it("does not change a version that is there", async () => {
    await register("fixed", "1");
    const again = await platform.call("images.register", { as: "operator", input: { family: "fixed", version: "1", source: "sbom", components: [] } });
    expect(again.body).toMatchObject({ status: 409, code: "image-version-taken" });
  });

  it("stores equal contents once, in whatever order they come", async () => {
    const one = await register("same", "1", { components: [openssl, bash] });
    const two = await register("same", "2", { components: [bash, openssl, bash] });
    expect(two.image.packages).toBe(2);
    const { test } = platform;
    const client = await test.connect("superuser");
    const { rows } = await client.query("select count(distinct component_set_id)::int as sets from images.golden_images i join images.golden_image_families f on f.id = i.family_id where f.name = 'same'");
    await client.end();
    expect(rows).toEqual([{ sets: 1 }]);
    expect(one.image.id).not.toBe(two.image.id);
  });

  it("keeps a component without a purl, and says that it could not be matched", async () => {
    const { image } = await register("bare", "1", { components: [{ name: "mystery" }] });
    const report = (await platform.call("vulnerabilities.get-image-report", { as: "viewer", input: { id: image.id } })).body as { report: { couldNotMatch: { why: { code: string } }[] } };
    expect(report.report.couldNotMatch).toMatchObject([{ what: { name: "mystery" }, why: { code: "no-purl" } }]);
  });
});

describe("listing", () => {
  it("goes newest first, page by page, each image once", async () => {
    for (const version of ["1", "2", "3", "4", "5"]) await register("paged", version);
    const versions: string[] = [];
    let cursor: string | undefined;
    do {
      const page = (await platform.call("images.list", { as: "viewer", input: { family: "paged", limit: 2, ...(cursor === undefined ? {} : { cursor }) } })).body as { items: { version: string }[]; next?: string };
      versions.push(...page.items.map((image) => image.version));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(versions).toEqual(["5", "4", "3", "2", "1"]);
  });

  it("filters by tag", async () => {
    const { image } = await register("tagged", "1", { tags: { stage: "live" } });
    await register("tagged", "2", { tags: { stage: "test" } });
    const page = (await platform.call("images.list", { as: "viewer", input: { family: "tagged", tag: "stage=live" } })).body as { items: { id: string }[] };
    expect(page.items.map((item) => item.id)).toEqual([image.id]);
  });

  it("shows families with their latest version", async () => {
    await register("family", "1.0");
    await register("family", "1.1");
    const page = (await platform.call("images.list-families", { as: "viewer", input: { limit: 1000 } })).body as { items: { name: string }[] };
    expect(page.items.find((family) => family.name === "family")).toEqual({ name: "family", images: 2, latest: "1.1" });
  });

  it("refuses a cursor that is none", async () => {
    expect((await platform.call("images.list", { as: "viewer", input: { cursor: "bm90IG9uZQ" } })).body).toMatchObject({ status: 400, detail: expect.stringContaining("/cursor") });
  });
});

describe("tags and deletion", () => {
  it("replaces the tags as a whole", async () => {
    const { image } = await register("retag", "1", { tags: { a: "1", b: "2" } });
    await platform.call("images.set-tags", { as: "operator", input: { id: image.id, tags: { b: "3" } } });
    expect((await platform.call("images.get", { as: "viewer", input: { id: image.id } })).body).toMatchObject({ tags: { b: "3" } });
  });

  it("given several who set tags at once, then each is answered, and the tags are those of one of them", async () => {
    const { image } = await register("retag-at-once", "1");
    const sets = Array.from({ length: 6 }, (_, n) => ({ same: `${n}`, [`own-${n}`]: "1" }));
    const answers = await Promise.all(sets.map((tags) => platform.call("images.set-tags", { as: "operator", input: { id: image.id, tags } })));
    expect(answers.map(({ status }) => status)).toEqual(sets.map(() => 200));
    expect(sets).toContainEqual(((await platform.call("images.get", { as: "viewer", input: { id: image.id } })).body as { tags: object }).tags);
  });

  it("deletes for an administrator; the events stay", async () => {
    const { image } = await register("gone", "1");
    expect((await platform.call("images.delete", { as: "operator", input: { id: image.id } })).status).toBe(403);
    expect((await platform.call("images.delete", { as: "admin", input: { id: image.id } })).body).toEqual({ deleted: image.id });
    expect((await platform.call("images.get", { as: "viewer", input: { id: image.id } })).body).toMatchObject({ status: 404, code: "image-not-found" });
  });
});
