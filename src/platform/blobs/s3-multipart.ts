import { AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CreateMultipartUploadCommand, ListMultipartUploadsCommand, ListPartsCommand, UploadPartCommand } from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import { awsErrorName } from "../aws/failure.ts";
import { conditionFailed, conditionHeaders, s3Error, sha256Base64, type S3Calls, type WriteCondition } from "./s3-calls.ts";

/** Larger objects are sent in parts of this size. S3's smallest part is 5 MiB, and a blob has at most 33 of ours. */
export const partBytes = 8 * 1024 * 1024;
const partsAtOnce = 4;
const staleMs = 86_400_000;

interface Part {
  PartNumber: number;
  ETag: string;
  ChecksumSHA256?: string;
}

interface Interrupted {
  key: string;
  uploadId: string;
  /** Milliseconds since 1970. */
  begun: number;
}

export interface Multipart {
  /**
   * Writes the object in parts, each with its SHA-256. With `resume` it goes on with an interrupted upload of the same
   * key, and leaves its own to be gone on with when it fails; the bytes must be the same each time.
   * False when the condition did not hold.
   */
  upload(key: string, bytes: Uint8Array, condition: WriteCondition, resume: boolean): Promise<boolean>;
  /** Aborts the uploads under the prefix that are older than a day, or all. */
  abort(prefix: string, which: { olderThanADayAt: number } | "all"): Promise<void>;
}

export function createMultipart({ client, run, place: { bucket: Bucket } }: S3Calls): Multipart {
  /** Newest first. Some servers list only the uploads of an exact key, which is what `upload` asks for. */
  async function interrupted(Prefix: string): Promise<Interrupted[]> {
    const found: Interrupted[] = [];
    let markers: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (;;) {
      const page = await run((abortSignal) => client.send(new ListMultipartUploadsCommand({ Bucket, Prefix, ...markers }), { abortSignal }));
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (Key !== undefined && UploadId !== undefined) found.push({ key: Key, uploadId: UploadId, begun: Initiated?.getTime() ?? 0 });
      }
      if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return found.toSorted((a, b) => b.begun - a.begun);
      markers = { KeyMarker: page.NextKeyMarker, ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }) };
    }
  }

  /** The parts that are there and hold these bytes. */
  async function goodParts(key: string, UploadId: string, chunks: readonly Uint8Array[]): Promise<Map<number, Part>> {
    const { Parts = [] } = await run((abortSignal) => client.send(new ListPartsCommand({ Bucket, Key: key, UploadId }), { abortSignal }));
    const good = new Map<number, Part>();
    for (const { PartNumber = 0, ETag = "", Size, ChecksumSHA256 } of Parts) {
      const chunk = chunks[PartNumber - 1];
      if (chunk === undefined || Size !== chunk.length) continue;
      const holds = ChecksumSHA256 === undefined ? ETag.replaceAll('"', "") === createHash("md5").update(chunk).digest("hex") : ChecksumSHA256 === sha256Base64(chunk);
      if (holds) good.set(PartNumber, { PartNumber, ETag, ChecksumSHA256: sha256Base64(chunk) });
    }
    return good;
  }

  async function begin(key: string): Promise<string> {
    const { UploadId } = await run((abortSignal) => client.send(new CreateMultipartUploadCommand({ Bucket, Key: key, ContentType: "application/octet-stream", ChecksumAlgorithm: "SHA256" }), { abortSignal }));
    if (UploadId === undefined) throw new Error("the server began an upload without naming it");
    return UploadId;
  }

  async function send(key: string, UploadId: string, PartNumber: number, chunk: Uint8Array): Promise<Part> {
    const ChecksumSHA256 = sha256Base64(chunk);
    const { ETag = "" } = await run((abortSignal) => client.send(new UploadPartCommand({ Bucket, Key: key, UploadId, PartNumber, Body: chunk, ChecksumSHA256 }), { abortSignal }));
    return { PartNumber, ETag, ChecksumSHA256 };
  }

  async function cancel(key: string, UploadId: string): Promise<void> {
    await run((abortSignal) => client.send(new AbortMultipartUploadCommand({ Bucket, Key: key, UploadId }), { abortSignal })).catch((error: unknown) => {
      if (awsErrorName(error) !== "NoSuchUpload") throw error;
    });
  }

  async function sendAll(key: string, chunks: readonly Uint8Array[], condition: WriteCondition, uploadId: string | undefined): Promise<boolean> {
    const parts = uploadId === undefined ? new Map<number, Part>() : await goodParts(key, uploadId, chunks);
    const UploadId = uploadId ?? (await begin(key));
    const missing = chunks.map((chunk, i) => ({ chunk, number: i + 1 })).filter(({ number }) => !parts.has(number));
    const workers = Array.from({ length: Math.min(partsAtOnce, missing.length) }, async () => {
      for (let next = missing.shift(); next !== undefined; next = missing.shift()) parts.set(next.number, await send(key, UploadId, next.number, next.chunk));
    });
    const failed = (await Promise.allSettled(workers)).find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    try {
      const Parts = [...parts.values()].toSorted((a, b) => a.PartNumber - b.PartNumber);
      await run((abortSignal) => client.send(new CompleteMultipartUploadCommand({ Bucket, Key: key, UploadId, MultipartUpload: { Parts }, ...conditionHeaders(condition) }), { abortSignal }));
      return true;
    } catch (error) {
      if (!conditionFailed(error)) throw error;
      await cancel(key, UploadId);
      return false;
    }
  }

  return {
    async upload(key, bytes, condition, resume) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / partBytes) }, (_, i) => bytes.subarray(i * partBytes, (i + 1) * partBytes));
      try {
        const [newest] = resume ? (await interrupted(key)).filter((one) => one.key === key) : [];
        try {
          return await sendAll(key, chunks, condition, newest?.uploadId);
        } catch (error) {
          // Another writer completed, aborted or overwrote what this one went on with: once more, with an upload of its own.
          if (newest === undefined || !["NoSuchUpload", "InvalidPart", "InvalidPartOrder"].includes(awsErrorName(error))) throw error;
          return await sendAll(key, chunks, condition, undefined);
        }
      } catch (error) {
        throw s3Error(error, Bucket);
      }
    },
    async abort(prefix, which) {
      try {
        for (const { key, uploadId, begun } of await interrupted(prefix)) {
          if (which === "all" || begun < which.olderThanADayAt - staleMs) await cancel(key, uploadId);
        }
      } catch (error) {
        throw s3Error(error, Bucket);
      }
    },
  };
}
