export { BlobDamaged, type DataKey } from "./blob-format.ts";
export { BlobNameInvalid } from "./blob-name.ts";
export { openBlobs, type BlobsPorts, type BlobsSettings } from "./blobs-url.ts";
export { BlobsFull, BlobsUnavailable, BlobsUrlInvalid } from "./errors.ts";
export type { BlobStore, OpenedBlobs } from "./types.ts";
