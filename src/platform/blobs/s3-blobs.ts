import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import { DeclaredError, fail } from "../errors.ts";
import { BlobDamaged, blobOverhead, checkSize, decryptBlob, describePlace, encryptBlob, nonceOf, restore, sha256, type BlobPlace, type DataKey } from "./blob-format.ts";
import { digestSegment, orgSegment, pointerSegments } from "./blob-name.ts";
import { BlobsUnavailable } from "./errors.ts";
import { createS3Calls, type WriteCondition } from "./s3-calls.ts";
import { createMultipart, partBytes } from "./s3-multipart.ts";
import type { S3Place } from "./s3-url.ts";
import type { OpenedBlobs } from "./types.ts";
import type { EngineTls } from "../tls/index.ts";

export interface S3BlobsOptions {
  place: S3Place;
  /** The organization's current data key, or with an id the key of that name, which an older blob was written under. */
  dataKey: (orgId: string, id?: string) => Promise<DataKey>;
  clock: Clock;
  /** Bytes of one blob. Default 256 MiB. */
  maxBytes?: number;
  random?: (bytes: number) => Uint8Array;
  /** Authority and own certificate for an endpoint of a private network. */
  tls?: EngineTls;
}

const healthMs = 5_000;
const sweepMs = 86_400_000;

/**
 * `BLOBS_URL=s3://`: `<prefix>cas/<org>/<sha256>` and `<prefix>refs/<org>/<name>`, as the file adapter has them.
 * A store that cannot be reached opens all the same; `health` says so. Errors: BlobsUnavailable where the settings are wrong.
 */
export async function openS3Blobs({ place, dataKey, clock, maxBytes = 268_435_456, random = randomBytes, tls }: S3BlobsOptions): Promise<OpenedBlobs> {
  const calls = createS3Calls(place, tls);
  const multipart = createMultipart(calls);
  const keyOf = ({ kind, orgId, name }: BlobPlace): string => `${place.prefix}${kind === "cas" ? "cas" : "refs"}/${orgSegment(orgId)}/${name}`;
  let checked: { at: number; health: Promise<string> } | undefined;
  let sweptAt: number | undefined;

  async function read(blob: BlobPlace): Promise<{ plain: Buffer; etag: string } | { damaged: DeclaredError; etag: string } | undefined> {
    const found = await calls.get(keyOf(blob), (size) => {
      if (size > maxBytes + blobOverhead) fail(BlobDamaged, `${describePlace(blob)} has ${size} bytes in the bucket, more than any blob may have. ${restore}`);
    });
    if (found === undefined) return undefined;
    try {
      return { plain: await decryptBlob(blob, found.bytes, async (id) => (await dataKey(blob.orgId, id)).key), etag: found.etag };
    } catch (error) {
      if (error instanceof DeclaredError && error.type === BlobDamaged) return { damaged: error, etag: found.etag };
      throw error;
    }
  }

  async function plainOf(blob: BlobPlace): Promise<Buffer | undefined> {
    const found = await read(blob);
    if (found !== undefined && "damaged" in found) throw found.damaged;
    return found?.plain;
  }

  async function write(blob: BlobPlace, bytes: Uint8Array, condition: WriteCondition): Promise<boolean> {
    const key = await dataKey(blob.orgId);
    const stored = encryptBlob(blob, key, bytes, blob.kind === "cas" ? () => nonceOf(blob, key) : random);
    if (stored.length <= partBytes) return calls.put(keyOf(blob), stored, condition);
    sweep();
    return multipart.upload(keyOf(blob), stored, condition, blob.kind === "cas");
  }

  /** Nobody waits for it: what it misses today it finds tomorrow. */
  function sweep(): void {
    const now = clock.now();
    if (sweptAt !== undefined && now - sweptAt < sweepMs) return;
    sweptAt = now;
    multipart.abort(place.prefix, { olderThanADayAt: now }).catch(() => {
      sweptAt = undefined;
    });
  }

  const { health: atOpen, settings } = await calls.checkBucket();
  if (settings) {
    calls.client.destroy();
    fail(BlobsUnavailable, atOpen);
  }

  return {
    async put(orgId, bytes) {
      checkSize(bytes, maxBytes);
      const blob: BlobPlace = { orgId, kind: "cas", name: sha256(bytes) };
      // What is there is trusted only after it was read: storing the content again is how a damaged blob is mended.
      const there = await read(blob);
      if (there === undefined) await write(blob, bytes, { absent: true });
      else if ("damaged" in there) await write(blob, bytes, { etag: there.etag });
      return { digest: blob.name, size: bytes.length };
    },
    async get(orgId, digest) {
      return plainOf({ orgId, kind: "cas", name: digestSegment(digest) });
    },
    async point(orgId, name, bytes) {
      checkSize(bytes, maxBytes);
      await write({ orgId, kind: "ref", name: pointerSegments(name).join("/") }, bytes, undefined);
    },
    async read(orgId, name) {
      return plainOf({ orgId, kind: "ref", name: pointerSegments(name).join("/") });
    },
    async removeAll(orgId) {
      const prefixes = ["cas", "refs"].map((kind) => `${place.prefix}${kind}/${orgSegment(orgId)}/`);
      let removed = 0;
      for (const prefix of prefixes) {
        await multipart.abort(prefix, "all");
        removed += await calls.removeUnder(prefix);
      }
      return removed;
    },
    async health() {
      const now = clock.now();
      if (checked === undefined || now - checked.at >= healthMs) {
        checked = { at: now, health: calls.checkBucket().then(({ health }) => health) };
      }
      return checked.health;
    },
    close() {
      calls.client.destroy();
    },
  };
}
