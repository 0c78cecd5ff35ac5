import { errorType } from "../errors.ts";
import { folderOfUrl } from "../file-url.ts";
import { openFileBlobs, type FileBlobsOptions } from "./file-blobs.ts";
import type { BlobStore } from "./types.ts";

export const BlobsUrlInvalid = errorType("blobs-url-invalid", 400, "BLOBS_URL cannot be used");

/** Opens the adapter that the scheme of BLOBS_URL names. Errors: BlobsUrlInvalid and those of the adapter. */
export async function openBlobs(url: string, baseFolder: string, options: Omit<FileBlobsOptions, "root">): Promise<BlobStore> {
  return openFileBlobs({ ...options, root: folderOfUrl("BLOBS_URL", url, baseFolder, BlobsUrlInvalid) });
}
