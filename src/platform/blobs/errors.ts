import { errorType } from "../errors.ts";

export const BlobsUrlInvalid = errorType("blobs-url-invalid", 400, "BLOBS_URL cannot be used");
export const BlobsFull = errorType("blobs-full", 507, "There is no room left for files");
export const BlobsUnavailable = errorType("blobs-unavailable", 503, "The file store cannot be used");
