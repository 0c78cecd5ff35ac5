import { errorType } from "../errors.ts";
import type { PlatformIdentity } from "./identity.ts";

/**
 * What a sealed value is for. It is authenticated, not stored: a value opens only under the context it was sealed
 * with, so that one tenant's or one column's ciphertext is worth nothing in another place.
 */
export interface SecretContext {
  /** Stable, kebab-case: `connector-credentials`, `data-key`. */
  purpose: string;
  /** The organization's id; absent for what belongs to the platform itself. */
  org?: string;
}

/** Nonces, keys and key ids are made of it. */
export type Random = (bytes: number) => Uint8Array;

export interface Verifier {
  keyId: string;
  /** SubjectPublicKeyInfo, PEM. */
  publicKey: string;
  verify(bytes: Uint8Array, signature: Uint8Array): boolean;
}

export interface Signer {
  keyId: string;
  /** SubjectPublicKeyInfo, PEM. */
  publicKey: string;
  /** Ed25519 (RFC 8032), 64 bytes. */
  sign(bytes: Uint8Array): Promise<Buffer>;
}

/** The secrets port. Its adapters pass `secretsContract`. */
export interface Secrets {
  /** An envelope, ASCII without spaces; see README.md. */
  seal(plaintext: Uint8Array, context: SecretContext): Promise<string>;
  /** The plaintext. Errors: EnvelopeInvalid, UnknownKey. */
  open(envelope: string, context: SecretContext): Promise<Buffer>;
  /** A new 256-bit key, and the same key wrapped by the platform's. Only `wrapped` may be stored. */
  createDataKey(context: SecretContext): Promise<{ key: Buffer; wrapped: string }>;
  unwrap(wrapped: string, context: SecretContext): Promise<Buffer>;
  /** An envelope or a wrapped data key under the current platform key; the same text when it already is. */
  rewrap(envelope: string, context: SecretContext): Promise<string>;
  /** Adds a platform key and makes it current. Older keys still open what they sealed. */
  rotate(): Promise<{ keyId: string }>;
  /** 32 bytes that depend on the purpose and on the root key only, so that they outlive every rotation. */
  derive(purpose: string): Buffer;
  signer(): Signer;
  /** A present or former signing key, or undefined when it was never one of ours. */
  verifier(keyId: string): Verifier | undefined;
  /** Makes a new signing key pair. Of the old one only the public key is kept. */
  rotateSigner(): Promise<{ keyId: string }>;
}

/** `sealed` is a value, `key` a wrapped data key: neither opens as the other. */
export type EnvelopeKind = "sealed" | "key";

/** A store as its adapter opens it, with what is needed to watch it and to move to another one. */
export interface OpenedSecrets extends Secrets {
  /** `ok`, or what is wrong and what still works, for readiness. Throws nothing. */
  health(): Promise<string>;
  close(): void;
  identity(): PlatformIdentity;
  /** Seals what the adapter itself keeps under the current key. */
  renew(): Promise<void>;
  /** Whether the envelope has this adapter's form and names a key that it may have. */
  mayHold(envelope: string): boolean;
  /** What an envelope of either kind holds. Errors: as `open`. */
  reveal(envelope: string, context: SecretContext): Promise<{ kind: EnvelopeKind; plaintext: Buffer }>;
  /** An envelope of that kind under the current key. */
  conceal(kind: EnvelopeKind, plaintext: Uint8Array, context: SecretContext): Promise<string>;
}

export const SecretsUrlInvalid = errorType("secrets-url-invalid", 400, "SECRETS_URL cannot be used");
export const SecretsUnavailable = errorType("secrets-unavailable", 503, "The keys cannot be reached");
export const KeyFileMissing = errorType("key-file-missing", 503, "The platform's key file is missing");
export const KeyFileUnusable = errorType("key-file-unusable", 503, "The platform's key file cannot be used");
export const UnknownKey = errorType("unknown-key", 500, "This was sealed with a key that is not here");
export const EnvelopeInvalid = errorType("envelope-invalid", 500, "This sealed value cannot be opened");
