import { randomBytes } from "node:crypto";
import { access, constants, mkdir, open, readdir, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { fail } from "../errors.ts";
import { storeError, sweepTemporaries, writeAtomically, type OpenFile } from "./atomic-file.ts";
import { BlobDamaged, blobOverhead, checkSize, decryptBlob, describePlace, encryptBlob, restore, sha256, type BlobPlace, type DataKey } from "./blob-format.ts";
import { digestSegment, orgSegment, pointerSegments } from "./blob-name.ts";
import type { OpenedBlobs } from "./types.ts";

export interface FileBlobsOptions {
  /** Absolute. */
  root: string;
  /** The organization's current data key, or with an id the key of that name, which an older file was written under. */
  dataKey: (orgId: string, id?: string) => Promise<DataKey>;
  clock: Clock;
  /** Bytes of one blob. Default 256 MiB. */
  maxBytes?: number;
  random?: (bytes: number) => Uint8Array;
  openFile?: OpenFile;
}

/** `BLOBS_URL=file:`: `<root>/cas/<org>/<sha256>`, `<root>/refs/<org>/<name>`, and `<root>/tmp` for what is being written. */
export async function openFileBlobs({ root, dataKey, clock, maxBytes = 268_435_456, random = randomBytes, openFile }: FileBlobsOptions): Promise<OpenedBlobs> {
  const temporaryFolder = join(root, "tmp");
  try {
    await mkdir(temporaryFolder, { recursive: true, mode: 0o700 });
    await sweepTemporaries(temporaryFolder, clock.now());
  } catch (error) {
    throw storeError(error);
  }

  async function write(place: BlobPlace, path: string, bytes: Uint8Array): Promise<void> {
    const stored = encryptBlob(place, await dataKey(place.orgId), bytes, random);
    await writeAtomically(path, join(temporaryFolder, Buffer.from(random(16)).toString("hex")), stored, openFile);
  }

  async function readBlob(place: BlobPlace, path: string): Promise<Buffer | undefined> {
    const stored = await readWhole(path, place, maxBytes + blobOverhead);
    if (stored === undefined) return undefined;
    return decryptBlob(place, stored, async (id) => (await dataKey(place.orgId, id)).key);
  }

  return {
    async put(orgId, bytes) {
      checkSize(bytes, maxBytes);
      const digest = sha256(bytes);
      const place: BlobPlace = { orgId, kind: "cas", name: digest };
      const path = join(root, "cas", orgSegment(orgId), digest);
      // What is there is trusted only after it was read: storing the content again is how a damaged blob is mended.
      const there = await readBlob(place, path).catch(() => undefined);
      if (there === undefined) await write(place, path, bytes);
      return { digest, size: bytes.length };
    },
    async get(orgId, digest) {
      return readBlob({ orgId, kind: "cas", name: digest }, join(root, "cas", orgSegment(orgId), digestSegment(digest)));
    },
    async point(orgId, name, bytes) {
      checkSize(bytes, maxBytes);
      await write({ orgId, kind: "ref", name }, join(root, "refs", orgSegment(orgId), ...pointerSegments(name)), bytes);
    },
    async read(orgId, name) {
      return readBlob({ orgId, kind: "ref", name }, join(root, "refs", orgSegment(orgId), ...pointerSegments(name)));
    },
    async removeAll(orgId) {
      const org = orgSegment(orgId);
      return (await removeFolder(join(root, "cas", org))) + (await removeFolder(join(root, "refs", org)));
    },
    async health() {
      try {
        await access(temporaryFolder, constants.R_OK | constants.W_OK);
        return "ok";
      } catch (error) {
        return (storeError(error) as Error).message;
      }
    },
    close() {},
  };
}

/** The number of files that were in it. */
async function removeFolder(folder: string): Promise<number> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    await rm(folder, { recursive: true, force: true });
    return entries.filter((entry) => entry.isFile()).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw storeError(error);
  }
}

async function readWhole(path: string, place: BlobPlace, limit: number): Promise<Buffer | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const { size } = await file.stat();
    if (size > limit) fail(BlobDamaged, `${describePlace(place)} has ${size} bytes on the disk, more than any blob may have. ${restore}`);
    return await file.readFile();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw storeError(error);
  } finally {
    await file?.close();
  }
}
