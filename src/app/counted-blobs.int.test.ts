import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blobsContract } from "../platform/blobs/contract.ts";
import { openFileBlobs } from "../platform/blobs/file-blobs.ts";
import type { BlobStore } from "../platform/blobs/types.ts";
import { quotasOf } from "../modules/organizations/index.ts";
import { testDatabase, type TestDatabase } from "../platform/testing/database.ts";
import { countedBlobs } from "./counted-blobs.ts";

const clock = { now: () => Date.UTC(2026, 10, 22) };
const org = "0193b5a0-0000-7000-8000-00000000000c";
let base: string;
let test: TestDatabase;
let stores = 0;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "qinfra-counted-"));
  test = await testDatabase();
});
afterAll(async () => {
  await test.close();
  await rm(base, { recursive: true, force: true });
});

async function store(limit?: number, change: (blobs: BlobStore) => Partial<BlobStore> = () => ({})): Promise<BlobStore> {
  const dataKey = async (orgId: string, id = "dk1") => ({ id, key: createHash("sha256").update(`${orgId} ${id}`).digest() });
  const blobs = await openFileBlobs({ root: join(base, String(stores++)), dataKey, clock, maxBytes: 100_000 });
  const defaults = limit === undefined ? {} : { storage: limit };
  return countedBlobs({ ...blobs, ...change(blobs) }, { database: test.database, quotas: (db, orgId) => quotasOf(db, orgId, { defaults, clock }) });
}

async function used(): Promise<number> {
  const [, , , storage] = await test.database.system((db) => quotasOf(db, org, { defaults: {}, clock }).list());
  return storage?.used ?? 0;
}

blobsContract("counted file", () => store());

describe("the quota of storage", () => {
  it("given the same bytes again and a named object replaced, then each counts as it is", async () => {
    const blobs = await store();
    await blobs.removeAll(org);
    await blobs.put(org, Buffer.alloc(100));
    await blobs.put(org, Buffer.alloc(100));
    expect(await used()).toBe(100);
    for (const [size, sum] of [[50, 150], [80, 180], [10, 110], [0, 100]] as const) {
      await blobs.point(org, "report", Buffer.alloc(size));
      expect(await used()).toBe(sum);
    }
    await blobs.removeAll(org);
    expect(await used()).toBe(0);
  });

  it("given it is full, then nothing is written, and what is there stays", async () => {
    const blobs = await store(1_000);
    await blobs.removeAll(org);
    await blobs.point(org, "kept", Buffer.alloc(900));
    await expect(blobs.put(org, Buffer.alloc(101))).rejects.toMatchObject({ type: { code: "quota-exceeded" }, message: "The organization may have 1000 bytes of storage; it has 900, and this needs 101 more. Remove stored files that are not needed, or ask an administrator of the platform for a larger quota." });
    await expect(blobs.point(org, "kept", Buffer.alloc(1_001))).rejects.toMatchObject({ type: { code: "quota-exceeded" } });
    expect((await blobs.read(org, "kept"))?.length).toBe(900);
    expect(await used()).toBe(900);
  });

  it("given fifty at once with room for seven, then seven are stored", async () => {
    const blobs = await store(700);
    await blobs.removeAll(org);
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => blobs.put(org, Buffer.alloc(100, i))));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(7);
    expect(await used()).toBe(700);
  });

  it("given the store fails, then nothing has been used", async () => {
    const full = () => Promise.reject(new Error("the disk is full"));
    const blobs = await store();
    await blobs.removeAll(org);
    const failing = await store(undefined, () => ({ put: full, point: full }));
    await expect(failing.put(org, Buffer.alloc(10))).rejects.toThrow("full");
    await expect(failing.point(org, "a", Buffer.alloc(10))).rejects.toThrow("full");
    expect(await used()).toBe(0);
    await blobs.point(org, "a", Buffer.alloc(10));
    await expect(failing.point(org, "a", Buffer.alloc(30))).rejects.toThrow("full");
    expect(await used()).toBe(10);
  });
});
