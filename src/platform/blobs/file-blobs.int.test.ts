import { createHash } from "node:crypto";
import { copyFile, mkdtemp, open, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openBlobs } from "./blobs-url.ts";
import { blobsContract } from "./contract.ts";
import { openFileBlobs, type FileBlobsOptions } from "./file-blobs.ts";

const base = await mkdtemp(join(tmpdir(), "qinfra-blobs-"));
afterAll(() => rm(base, { recursive: true, force: true }));
let made = 0;
const org = "0193b5a0-0000-7000-8000-00000000000a";
const other = "0193b5a0-0000-7000-8000-00000000000b";
const clock = { now: () => Date.now() };
const dataKey = async (orgId: string, id = "dk1") => ({ id, key: createHash("sha256").update(`${orgId} ${id}`).digest() });

async function newStore(more: Partial<FileBlobsOptions> = {}) {
  const root = more.root ?? join(base, `store-${made++}`);
  return { root, blobs: await openFileBlobs({ root, dataKey, clock, ...more }) };
}

async function filesUnder(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

blobsContract("file", async () => (await newStore({ maxBytes: 100_000 })).blobs);

describe("the files", () => {
  it("are 0600 in folders of 0700, show nothing of their content, and leave no temporaries", async () => {
    const { root, blobs } = await newStore();
    const { digest } = await blobs.put(org, Buffer.from("plain words"));
    await blobs.point(org, "sboms/i/sbom.json", Buffer.from("plain words"));
    expect(await filesUnder(root)).toEqual(expect.arrayContaining([join(root, "cas", org, digest), join(root, "refs", org, "sboms/i/sbom.json")]));
    expect(await filesUnder(root)).toHaveLength(2);
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      expect((await stat(path)).mode & 0o777, path).toBe(entry.isFile() ? 0o600 : 0o700);
      if (entry.isFile()) expect((await readFile(path)).includes("plain words")).toBe(false);
    }
  });

  const spoilings: [string, (path: string) => Promise<void>][] = [
    ["a changed byte", async (path) => {
      const bytes = await readFile(path);
      bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
      await writeFile(path, bytes);
    }],
    ["a cut end", (path) => truncate(path, 30)],
    ["no bytes at all", (path) => truncate(path, 0)],
    ["other content", (path) => writeFile(path, "hello, this is some text that somebody put here")],
  ];
  it.each(spoilings)("with %s are an error that says which, and are mended by storing the content again", async (_name, spoil) => {
    const { root, blobs } = await newStore();
    const bytes = Buffer.from("the content of a blob");
    const { digest } = await blobs.put(org, bytes);
    await spoil(join(root, "cas", org, digest));
    await expect(blobs.get(org, digest)).rejects.toMatchObject({ type: { code: "blob-damaged" }, message: expect.stringContaining(digest) });
    await blobs.put(org, bytes);
    expect(await blobs.get(org, digest)).toEqual(bytes);
  });

  it("do not open in the place of another blob, object or organization", async () => {
    const sameKey = async (_org: string, id = "dk1") => ({ id, key: Buffer.alloc(32, 3) });
    const { root, blobs } = await newStore({ dataKey: sameKey });
    const [one, two] = [await blobs.put(org, Buffer.from("one")), await blobs.put(org, Buffer.from("two"))];
    await blobs.put(other, Buffer.from("one"));
    await blobs.put(other, Buffer.from("two"));
    await blobs.point(org, "a", Buffer.from("one"));
    await blobs.point(org, "b", Buffer.from("two"));
    await copyFile(join(root, "cas", org, one.digest), join(root, "cas", org, two.digest));
    await copyFile(join(root, "cas", org, one.digest), join(root, "cas", other, one.digest));
    await copyFile(join(root, "refs", org, "a"), join(root, "refs", org, "b"));
    for (const read of [() => blobs.get(org, two.digest), () => blobs.get(other, one.digest), () => blobs.read(org, "b")]) {
      await expect(read()).rejects.toMatchObject({ type: { code: "blob-damaged" }, message: expect.stringMatching(/another file was put in its place/) });
    }
    await expect(blobs.read(org, "b")).rejects.toThrow("Object b of organization");
  });

  it("open under the data key that they were written under, after another became current", async () => {
    const { root, blobs } = await newStore();
    const { digest } = await blobs.put(org, Buffer.from("old"));
    const { blobs: later } = await newStore({ root, dataKey: (orgId, id = "dk2") => dataKey(orgId, id) });
    expect(await later.get(org, digest)).toEqual(Buffer.from("old"));
    await later.point(org, "new", Buffer.from("new"));
    expect(await blobs.read(org, "new")).toEqual(Buffer.from("new"));
  });

  it.each(["ENOSPC", "EDQUOT"])("leave nothing when the disk is full (%s), and the old object stays", async (code) => {
    const { root, blobs } = await newStore();
    await blobs.point(org, "kept", Buffer.from("before"));
    // A handle that fails half-way stands for a full disk, which a test cannot have everywhere.
    const full: FileBlobsOptions["openFile"] = async (path, flags, mode) => {
      const file = await open(path, flags, mode);
      const writeFile = async () => {
        await file.write(Buffer.from("par"));
        throw Object.assign(new Error("no space left on device"), { code });
      };
      return { writeFile, sync: () => file.sync(), close: () => file.close() };
    };
    const { blobs: onFullDisk } = await newStore({ root, openFile: full });
    await expect(onFullDisk.put(org, Buffer.from("new"))).rejects.toMatchObject({ type: { code: "blobs-full", status: 507 }, message: expect.stringMatching(/full .*Free some space/) });
    await expect(onFullDisk.point(org, "kept", Buffer.from("after"))).rejects.toMatchObject({ type: { code: "blobs-full" } });
    expect(await filesUnder(root)).toEqual([join(root, "refs", org, "kept")]);
    expect(await blobs.read(org, "kept")).toEqual(Buffer.from("before"));
  });

  it("left by a killed process are swept a day later", async () => {
    const { root } = await newStore();
    const [old, young] = [join(root, "tmp", "old"), join(root, "tmp", "young")];
    await writeFile(old, "x");
    await writeFile(young, "x");
    await utimes(old, new Date(), new Date(Date.now() - 90_000_000));
    await newStore({ root });
    expect(await filesUnder(root)).toEqual([young]);
  });

  it("refuse a name that runs through another object", async () => {
    const { blobs } = await newStore();
    await blobs.point(org, "a/b", Buffer.from("x"));
    for (const name of ["a", "a/b/c"]) {
      await expect(blobs.point(org, name, Buffer.from("x"))).rejects.toMatchObject({ type: { code: "blob-name-invalid" }, message: expect.stringMatching(/name of another object/) });
      expect(await blobs.read(org, name)).toBeUndefined();
    }
  });

  it("cannot be used below something that is no folder", async () => {
    const root = join(base, "a-file");
    await writeFile(root, "x");
    await expect(newStore({ root })).rejects.toMatchObject({ name: "DeclaredError" });
  });
});

describe("BLOBS_URL", () => {
  const blobsDir = join(base, "by-setting");
  it("names a folder, or leaves it to DATA_DIR", async () => {
    const { digest } = await (await openBlobs({ blobsUrl: `file://${blobsDir}`, blobsDir: "/nowhere" }, { dataKey, clock })).put(org, Buffer.from("x"));
    const again = await openBlobs({ blobsUrl: "file:", blobsDir }, { dataKey, clock });
    expect(await again.get(org, digest)).toEqual(Buffer.from("x"));
    expect(await again.health()).toBe("ok");
  });

  it("says in its health that the folder is gone", async () => {
    const { root, blobs } = await newStore();
    await rm(root, { recursive: true });
    expect(await blobs.health()).toMatch(/cannot be used \(ENOENT\)/);
  });

  it("is refused with a scheme that is not supported", async () => {
    await expect(openBlobs({ blobsUrl: "gs://key:hidden@host/bucket", blobsDir }, { dataKey, clock })).rejects.toMatchObject({ message: "BLOBS_URL has a scheme that is not supported. Set it to file:FOLDER or s3://BUCKET." });
  });
});
