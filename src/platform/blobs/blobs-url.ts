import type { Clock } from "../clock.ts";
import { fail } from "../errors.ts";
import { folderOfUrl } from "../file-url.ts";
import type { DataKey } from "./blob-format.ts";
import { BlobsUrlInvalid } from "./errors.ts";
import { openFileBlobs } from "./file-blobs.ts";
import { parseS3Url } from "./s3-url.ts";
import type { EngineTls } from "../tls/index.ts";
import type { OpenedBlobs } from "./types.ts";

/** The settings that choose the store: `blobsDir` is the folder where the URL is `file:` without one. */
export interface BlobsSettings {
  blobsUrl: string;
  blobsDir: string;
}

export interface BlobsPorts {
  /** The organization's current data key, or with an id the key of that name. */
  dataKey: (orgId: string, id?: string) => Promise<DataKey>;
  clock: Clock;
  /** Authority and own certificate for an S3 endpoint of a private network. */
  tls?: EngineTls;
}

/** Opens the adapter that the scheme of BLOBS_URL names. Errors: BlobsUrlInvalid and those of the adapter. */
export async function openBlobs({ blobsUrl, blobsDir }: BlobsSettings, ports: BlobsPorts): Promise<OpenedBlobs> {
  if (/^file:\/*$/.test(blobsUrl)) return openFileBlobs({ ...ports, root: blobsDir });
  if (blobsUrl.startsWith("file:")) return openFileBlobs({ ...ports, root: folderOfUrl("BLOBS_URL", blobsUrl, process.cwd(), BlobsUrlInvalid) });
  if (!blobsUrl.startsWith("s3:")) fail(BlobsUrlInvalid, "BLOBS_URL has a scheme that is not supported. Set it to file:FOLDER or s3://BUCKET.");
  const place = parseS3Url(blobsUrl);
  const { openS3Blobs } = await import("./s3-blobs.ts"); // the SDK is large, and most servers do not need it
  return openS3Blobs({ ...ports, place });
}
