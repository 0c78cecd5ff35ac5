import { CreateBucketCommand, CreateMultipartUploadCommand, GetObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { createHash, hkdfSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { blobsContract } from "../../src/platform/blobs/contract.ts";
import { openS3Blobs, type S3BlobsOptions } from "../../src/platform/blobs/s3-blobs.ts";
import { describeWith } from "./support/peer.ts";
import { countingProxy, startS3, type CountingProxy, type S3Name, type S3Server } from "./support/s3.ts";

const org = "0193b5a0-0000-7000-8000-00000000000a";
const other = "0193b5a0-0000-7000-8000-00000000000b";
const dataKey = async (orgId: string, id = "dk1") => ({ id, key: createHash("sha256").update(`${orgId} ${id}`).digest() });
const mib = 1024 * 1024;
/** Bytes that no compression and no repetition hides: AES-like noise made of a word. */
const noise = (size: number, word: string) => Buffer.concat(Array.from({ length: Math.ceil(size / 8160) }, (_, i) => Buffer.from(hkdfSync("sha256", word, "", String(i), 8160)))).subarray(0, size);

describe.each(["versitygw", "minio"] as const)("%s", (name: S3Name) => {
  describeWith([name], `blobs on ${name}`, () => {
    let server: S3Server;
    let proxy: CountingProxy;
    let client: S3Client;
    let made = 0;
    beforeAll(async () => {
      server = await startS3(name);
      proxy = await countingProxy(server.endpoint);
      for (const [key, value] of Object.entries(server.credentials)) vi.stubEnv(key, value);
      client = new S3Client({ endpoint: server.endpoint, region: "us-east-1", forcePathStyle: true });
    });
    afterAll(async () => {
      client?.destroy();
      await proxy?.stop();
      await server?.stop();
      vi.unstubAllEnvs();
    });

    async function newStore(more: Partial<S3BlobsOptions> = {}, endpoint = server.endpoint, Bucket = `bucket-${made++}`) {
      await client.send(new CreateBucketCommand({ Bucket })).catch((error: Error) => {
        if (!error.name.startsWith("BucketAlready")) throw error;
      });
      const blobs = await openS3Blobs({ place: { bucket: Bucket, prefix: "qinfra/", region: "us-east-1", endpoint, pathStyle: true }, dataKey, clock: { now: Date.now }, ...more });
      onTestFinished(() => blobs.close());
      return { Bucket, blobs };
    }
    async function keysOf(Bucket: string): Promise<string[]> {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
      return Contents.map(({ Key = "" }) => Key).toSorted();
    }

    blobsContract(`s3 on ${name}`, async () => (await newStore({ maxBytes: 100_000 })).blobs);

    it("given blobs and objects, then they lie where the layout says and show nothing of their content", async () => {
      const { Bucket, blobs } = await newStore();
      const { digest } = await blobs.put(org, Buffer.from("plain words"));
      await blobs.point(org, "sboms/img_1/sbom.json", Buffer.from("plain words"));
      const keys = await keysOf(Bucket);
      expect(keys).toEqual([`qinfra/cas/${org}/${digest}`, `qinfra/refs/${org}/sboms/img_1/sbom.json`]);
      for (const Key of keys) {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
        expect(Buffer.from((await Body?.transformToByteArray()) ?? "").includes("plain words")).toBe(false);
      }
    });

    it("given 40 MiB, then it goes in parts and comes back whole", async () => {
      const { blobs } = await newStore({}, proxy.endpoint);
      proxy.parts.length = 0;
      const bytes = noise(40 * mib, "forty");
      const { digest, size } = await blobs.put(org, bytes);
      expect(size).toBe(bytes.length);
      expect(proxy.parts.toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
      expect(Buffer.compare((await blobs.get(org, digest)) ?? Buffer.alloc(0), bytes)).toBe(0);
    });

    it("given an upload that broke off, when the same blob is stored by another process, then no part is sent twice", async () => {
      const { Bucket, blobs } = await newStore({}, proxy.endpoint);
      const bytes = noise(40 * mib, "interrupted");
      proxy.parts.length = 0;
      proxy.breakAfter(3);
      await expect(blobs.put(org, bytes)).rejects.toMatchObject({ type: { code: "blobs-unavailable" } });
      proxy.mend();
      const before = [...proxy.parts];
      expect(before).toHaveLength(3);
      expect(await keysOf(Bucket)).toEqual([]);

      const { blobs: later } = await newStore({}, proxy.endpoint, Bucket);
      const { digest } = await later.put(org, bytes);
      expect(proxy.parts.toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
      expect(Buffer.compare((await later.get(org, digest)) ?? Buffer.alloc(0), bytes)).toBe(0);
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: `qinfra/cas/${org}/${digest}` }));
      expect(Uploads).toEqual([]);
    });

    it("given parts that are not those of this blob, then they are sent anew", async () => {
      const { Bucket, blobs } = await newStore({}, proxy.endpoint);
      const bytes = noise(17 * mib, "rotated");
      proxy.breakAfter(1);
      await expect(blobs.put(org, bytes)).rejects.toMatchObject({ type: { code: "blobs-unavailable" } });
      proxy.mend();
      const { blobs: later } = await newStore({ dataKey: (orgId, id = "dk2") => dataKey(orgId, id) }, proxy.endpoint, Bucket);
      proxy.parts.length = 0;
      const { digest } = await later.put(org, bytes);
      expect(proxy.parts.toSorted()).toEqual([1, 2, 3]);
      expect(Buffer.compare((await later.get(org, digest)) ?? Buffer.alloc(0), bytes)).toBe(0);
    });

    it.each([["one request", 1 * mib], ["parts", 20 * mib]])("given several writers of one blob at once (%s), then one of them stores it and all are content", async (_how, size) => {
      const { Bucket, blobs } = await newStore();
      const bytes = noise(size, `together ${size}`);
      const all = await Promise.all(Array.from({ length: 4 }, () => blobs.put(org, bytes)));
      expect(new Set(all.map(({ digest }) => digest)).size).toBe(1);
      expect(await keysOf(Bucket)).toHaveLength(1);
      expect(Buffer.compare((await blobs.get(org, all[0]?.digest ?? "")) ?? Buffer.alloc(0), bytes)).toBe(0);
    });

    it("given an object that somebody changed, cut, emptied or put in another's place, then it is an error that says which, and storing it again mends it", async () => {
      const { Bucket, blobs } = await newStore();
      const one = Buffer.from("the content of a blob");
      const { digest } = await blobs.put(org, one);
      const Key = `qinfra/cas/${org}/${digest}`;
      const theirs = await blobs.put(other, one);
      const objectBytes = async (key: string) => Buffer.from((await (await client.send(new GetObjectCommand({ Bucket, Key: key }))).Body?.transformToByteArray()) ?? "");
      const stored = await objectBytes(Key);
      const changed = Buffer.from(stored);
      changed[changed.length - 20] = (changed[changed.length - 20] ?? 0) ^ 1;
      for (const Body of [changed, stored.subarray(0, 30), Buffer.alloc(0), await objectBytes(`qinfra/cas/${other}/${theirs.digest}`)]) {
        await client.send(new PutObjectCommand({ Bucket, Key, Body }));
        await expect(blobs.get(org, digest)).rejects.toMatchObject({ type: { code: "blob-damaged" }, message: expect.stringContaining(digest) });
        await blobs.put(org, one);
        expect(await blobs.get(org, digest)).toEqual(one);
      }
    });

    it("given a read that breaks off, then it is read again", async () => {
      const { blobs } = await newStore({}, proxy.endpoint);
      const bytes = noise(2 * mib, "cut");
      const { digest } = await blobs.put(org, bytes);
      proxy.cutNextRead(1_000);
      expect(Buffer.compare((await blobs.get(org, digest)) ?? Buffer.alloc(0), bytes)).toBe(0);
    });

    it("given a blob whose digest is right but which is larger than any may be, then its body is not read", async () => {
      const { Bucket, blobs } = await newStore({ maxBytes: 1_000 });
      const digest = "a".repeat(64);
      await client.send(new PutObjectCommand({ Bucket, Key: `qinfra/cas/${org}/${digest}`, Body: Buffer.alloc(2_000) }));
      await expect(blobs.get(org, digest)).rejects.toMatchObject({ type: { code: "blob-damaged" }, message: expect.stringContaining("2000 bytes") });
    });

    it("given more objects than one page lists, when the organization is removed, then all of its are gone and nobody else's", async () => {
      const { Bucket, blobs } = await newStore();
      for (let i = 0; i < 1_010; i += 101) await Promise.all(Array.from({ length: 101 }, (_, k) => blobs.point(org, `exports/${i + k}.csv`, Buffer.from("x"))));
      await blobs.put(other, Buffer.from("theirs"));
      expect(await blobs.removeAll(org)).toBe(1_010);
      expect(await keysOf(Bucket)).toHaveLength(1);
    });

    // MinIO lists interrupted uploads only for an exact key, and ends them itself after a day.
    it.skipIf(name === "minio")("given an upload that was left for more than a day, when the next one begins, then the old one is aborted (skipped on MinIO, which does so itself)", async () => {
      const { Bucket } = await newStore();
      const Key = `qinfra/cas/${org}/${"b".repeat(64)}`;
      await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      const uploads = async () => (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [];
      const { blobs: today } = await newStore({}, server.endpoint, Bucket);
      await today.put(org, noise(9 * mib, "today"));
      expect(await uploads()).toHaveLength(1);
      const { blobs: tomorrow } = await newStore({ clock: { now: () => Date.now() + 86_500_000 } }, server.endpoint, Bucket);
      await tomorrow.put(org, noise(9 * mib, "tomorrow"));
      await vi.waitUntil(async () => (await uploads()).length === 0);
    });

    it("given wrong settings, then the store does not open and says why without the secret", async () => {
      const place = { bucket: "not-there", prefix: "", region: "us-east-1", endpoint: server.endpoint, pathStyle: true };
      const opening = (more: Partial<typeof place> = {}) => openS3Blobs({ place: { ...place, ...more }, dataKey, clock: { now: Date.now } });
      await expect(opening()).rejects.toMatchObject({ type: { code: "blobs-unavailable" }, message: "There is no bucket not-there. Create it, or correct BLOBS_URL." });
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", "not the secret");
      const refused = await opening().catch((error: Error) => error);
      vi.stubEnv("AWS_ACCESS_KEY_ID", "nobody");
      const unknown = await opening().catch((error: Error) => error);
      for (const [key, value] of Object.entries(server.credentials)) vi.stubEnv(key, value);
      for (const error of [refused, unknown]) {
        expect(String(error)).toMatch(/credentials are missing or not accepted/);
        expect(`${JSON.stringify(error)} ${String(error)} ${(error as Error).stack}`).not.toMatch(/not the secret|nobody/);
      }
    });

    it("given a server that is not there, then the store opens, says so in its health, and works once it is", async () => {
      const { Bucket } = await newStore();
      const port = Number(new URL(proxy.endpoint).port);
      await proxy.stop();
      let now = Date.now();
      const { blobs } = await newStore({ clock: { now: () => now } }, `http://127.0.0.1:${port}`, Bucket);
      expect(await blobs.health()).toMatch(/cannot be reached \(ECONNREFUSED\)/);
      await expect(blobs.put(org, Buffer.from("x"))).rejects.toMatchObject({ type: { code: "blobs-unavailable", status: 503 } });
      proxy = await countingProxy(server.endpoint, port);
      now += 10_000;
      expect(await blobs.health()).toBe("ok");
      const { digest } = await blobs.put(org, Buffer.from("x"));
      expect(await blobs.get(org, digest)).toEqual(Buffer.from("x"));
    });
  });
});
