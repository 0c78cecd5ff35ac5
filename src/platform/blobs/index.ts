export { BlobsFull, BlobsUnavailable } from "./atomic-file.ts";
export { BlobDamaged, type DataKey } from "./blob-format.ts";
export { BlobNameInvalid } from "./blob-name.ts";
export { BlobsUrlInvalid, openBlobs } from "./blobs-url.ts";
export type { FileBlobsOptions } from "./file-blobs.ts";
export type { BlobStore } from "./types.ts";
