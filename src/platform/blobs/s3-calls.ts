import { DeleteObjectsCommand, GetBucketVersioningCommand, GetObjectCommand, ListObjectsV2Command, ListObjectVersionsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import { awsClientOptions, createAwsCalls, LeftAlone, type AwsCalls } from "../aws/calls.ts";
import { awsErrorName, awsFailure, awsStatus } from "../aws/failure.ts";
import { DeclaredError } from "../errors.ts";
import { BlobsFull, BlobsUnavailable } from "./errors.ts";
import type { S3Place } from "./s3-url.ts";
import type { EngineTls } from "../tls/index.ts";

/** What a write does where the key is taken: nothing, or only if what lies there is still what was read. */
export type WriteCondition = { absent: true } | { etag: string } | undefined;

export interface S3Calls {
  place: S3Place;
  client: S3Client;
  run: AwsCalls;
  /** Undefined when there is no such object. Errors: BlobsUnavailable; TooLarge is the caller's: `size` counts before the body is read. */
  get(key: string, refuse: (size: number) => void): Promise<{ bytes: Buffer; etag: string } | undefined>;
  /** False when the condition did not hold. */
  put(key: string, bytes: Uint8Array, condition: WriteCondition): Promise<boolean>;
  /** Removes everything under the prefix, older versions too, and answers how many objects there were. */
  removeUnder(prefix: string): Promise<number>;
  /** `ok`, or what is wrong; `settings` when only a person can help. */
  checkBucket(): Promise<{ health: string; settings: boolean }>;
}

export const callTimeoutMs = 30_000;
const bodyTimeoutMs = 120_000;
const readAttempts = 3;

export function createS3Calls(place: S3Place, tls?: EngineTls): S3Calls {
  const { bucket: Bucket } = place;
  const client = new S3Client({
    ...awsClientOptions(place.endpoint === undefined ? undefined : tls), forcePathStyle: place.pathStyle,
    ...(place.region === undefined ? {} : { region: place.region }), ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
  });
  const run = createAwsCalls({ timeoutMs: callTimeoutMs });

  async function readOnce(key: string, refuse: (size: number) => void): Promise<{ bytes: Buffer; etag: string }> {
    return run(async (abortSignal) => {
      const answer = await client.send(new GetObjectCommand({ Bucket, Key: key, ChecksumMode: "ENABLED" }), { abortSignal });
      try {
        refuse(answer.ContentLength ?? 0);
      } catch (error) {
        (answer.Body as { destroy?(): void } | undefined)?.destroy?.();
        throw error;
      }
      const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? new Uint8Array());
      return { bytes, etag: answer.ETag ?? "" };
    }, bodyTimeoutMs);
  }

  async function deleteAll(found: readonly { Key: string; VersionId?: string }[]): Promise<void> {
    if (found.length === 0) return;
    const { Errors } = await run((abortSignal) => client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [...found], Quiet: true } }), { abortSignal }));
    const refused = Errors?.find(({ Code }) => Code !== "NoSuchKey" && Code !== "NoSuchVersion");
    if (refused !== undefined) throw Object.assign(new Error("delete refused"), { name: refused.Code ?? "unknown error" });
  }

  async function removeVersions(Prefix: string): Promise<void> {
    const { Status } = await run((abortSignal) => client.send(new GetBucketVersioningCommand({ Bucket }), { abortSignal }));
    if (Status === undefined) return;
    for (;;) {
      const page = await run((abortSignal) => client.send(new ListObjectVersionsCommand({ Bucket, Prefix }), { abortSignal }));
      const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].flatMap(({ Key, VersionId }) => (Key === undefined || VersionId === undefined ? [] : [{ Key, VersionId }]));
      if (found.length === 0) return;
      await deleteAll(found);
    }
  }

  return {
    place, client, run,
    async get(key, refuse) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await readOnce(key, refuse);
        } catch (error) {
          if (awsErrorName(error) === "NoSuchKey") return undefined;
          // The SDK repeats a request, but not a body that broke off.
          if (attempt < readAttempts && !(error instanceof LeftAlone) && isBrokenBody(error)) continue;
          throw s3Error(error, Bucket);
        }
      }
    },
    async put(key, bytes, condition) {
      try {
        await run((abortSignal) => client.send(new PutObjectCommand({ Bucket, Key: key, Body: bytes, ContentType: "application/octet-stream", ChecksumSHA256: sha256Base64(bytes), ...conditionHeaders(condition) }), { abortSignal }));
        return true;
      } catch (error) {
        if (conditionFailed(error)) return false;
        throw s3Error(error, Bucket);
      }
    },
    async removeUnder(Prefix) {
      try {
        let removed = 0;
        for (;;) {
          const page = await run((abortSignal) => client.send(new ListObjectsV2Command({ Bucket, Prefix }), { abortSignal }));
          const found = (page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }]));
          if (found.length === 0) break;
          await deleteAll(found);
          removed += found.length;
        }
        await removeVersions(Prefix);
        return removed;
      } catch (error) {
        throw s3Error(error, Bucket);
      }
    },
    async checkBucket() {
      try {
        // Unlike HeadBucket it says what is wrong, because the answer has a body.
        await run((abortSignal) => client.send(new ListObjectsV2Command({ Bucket, Prefix: place.prefix, MaxKeys: 1 }), { abortSignal }), 3_000);
        return { health: "ok", settings: false };
      } catch (error) {
        return { health: (s3Error(error, Bucket) as Error).message, settings: !(error instanceof LeftAlone) && awsFailure(error).kind !== "unavailable" };
      }
    },
  };
}

export function conditionHeaders(condition: WriteCondition): { IfNoneMatch?: string; IfMatch?: string } {
  if (condition === undefined) return {};
  return "absent" in condition ? { IfNoneMatch: "*" } : { IfMatch: condition.etag };
}

/** 412, or 409 where two conditional writes met. */
export function conditionFailed(error: unknown): boolean {
  return awsStatus(error) === 412 || awsErrorName(error) === "PreconditionFailed" || awsErrorName(error) === "ConditionalRequestConflict";
}

export function sha256Base64(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64");
}

/** The declared error of what the SDK threw. */
export function s3Error(error: unknown, bucket: string): unknown {
  if (error instanceof DeclaredError) return error;
  if (error instanceof LeftAlone) {
    return new DeclaredError(BlobsUnavailable, `The bucket ${bucket} failed several times in a row and is left alone for some seconds: ${awsFailure(error.cause).what}.`);
  }
  const name = awsErrorName(error);
  if (name === "NoSuchBucket") {
    return new DeclaredError(BlobsUnavailable, `There is no bucket ${bucket}. Create it, or correct BLOBS_URL.`);
  }
  if (name === "XMinioStorageFull" || name === "QuotaExceeded" || awsStatus(error) === 507) {
    return new DeclaredError(BlobsFull, `The bucket ${bucket} has no room left (${name}); nothing was written. Free some space or raise its quota, then try again.`);
  }
  const { what, next } = awsFailure(error);
  return new DeclaredError(BlobsUnavailable, `The bucket ${bucket} cannot be used: ${what}. ${next || "See the server's own log."}`);
}

function isBrokenBody(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === "ECONNRESET" || code === "ERR_STREAM_PREMATURE_CLOSE" || (error as Error).message === "aborted";
}
