import type { PlatformIdentity } from "./identity.ts";
import type { SecretContext } from "./types.ts";

/** A key that another system keeps. It never leaves there; what it wraps are the keys that seal here. */
export interface KeyEngine {
  /** Stands in each envelope. */
  name: "vault" | "kms";
  /** A new 256-bit key, wrapped by the current key under this context. Errors: SecretsUnavailable. */
  generate(context: SecretContext): Promise<WrappedKey & { key: Buffer }>;
  /** Errors: EnvelopeInvalid where it was not wrapped so, UnknownKey, SecretsUnavailable. */
  unwrap(wrapped: WrappedKey, context: SecretContext): Promise<Buffer>;
  /** Id of the key that wraps now: lower-case letters, digits and hyphens. */
  current(): Promise<string>;
  /** Makes a new one, which wraps from now on; returns its id. */
  rotate(): Promise<string>;
  /** A cheap call that works when the others do. Errors: SecretsUnavailable. */
  check(): Promise<void>;
  close(): void;
}

export interface WrappedKey {
  keyId: string;
  wrapped: Buffer;
}

/** Where the platform's identity lies. `version` guards a change against another one at the same time. */
export interface IdentityStore {
  load(): Promise<{ identity: PlatformIdentity; version: string } | undefined>;
  /** False when another process was first. */
  create(identity: PlatformIdentity): Promise<boolean>;
  replace(identity: PlatformIdentity, version: string): Promise<boolean>;
  /** Seals it under the engine's current key, where it is the engine's key that it lies under. */
  renew?(): Promise<void>;
  /** For the error of a missing one: `secret/qinfra in Vault`. */
  describe: string;
}
