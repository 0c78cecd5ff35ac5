/** Content-addressed blobs of an organization, encrypted under its own data key, and named pointer objects. */
export interface BlobStore {
  /** Stores the bytes under `cas/<org>/<sha256>`; the digest is of the plain bytes. Idempotent. */
  put(orgId: string, bytes: Uint8Array): Promise<{ digest: string; size: number }>;
  /** The plain bytes, or undefined; a blob that fails its digest or authentication is an error. */
  get(orgId: string, digest: string): Promise<Uint8Array | undefined>;
  /** Writes a small named object, for example `sboms/<image-id>/sbom.json`, replacing what is there. */
  point(orgId: string, name: string, bytes: Uint8Array): Promise<void>;
  read(orgId: string, name: string): Promise<Uint8Array | undefined>;
  /** Removes every blob and named object of the organization and answers how many; what is gone already is no error. */
  removeAll(orgId: string): Promise<number>;
}

/** A store as its adapter opens it. */
export interface OpenedBlobs extends BlobStore {
  /** `ok`, or what is wrong and what to do, for readiness. Cheap; throws nothing. */
  health(): Promise<string>;
  close(): void;
}
