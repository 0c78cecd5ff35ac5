import { createCipheriv, createDecipheriv, hkdfSync } from "node:crypto";
import { DeclaredError, fail } from "../errors.ts";
import { EnvelopeInvalid, type EnvelopeKind, type Random, type SecretContext } from "./types.ts";

const prefixes: Record<EnvelopeKind, string> = { sealed: "qs1", key: "qk1" };
const nonceBytes = 12;
const tagBytes = 16;

/**
 * `<qs1|qk1>.<key id>.<base64url of nonce (12), ciphertext, tag (16)>`: AES-256-GCM (NIST SP 800-38D) under a subkey
 * of the platform key. Random nonces are safe for 2^32 envelopes a key; rotate long before that.
 */
export function sealEnvelope(kind: EnvelopeKind, keyId: string, key: Uint8Array, plaintext: Uint8Array, context: SecretContext, random: Random): string {
  const nonce = random(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", sealingKey(key), nonce);
  cipher.setAAD(additionalData(kind, keyId, context));
  const body = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return `${prefixes[kind]}.${keyId}.${body.toString("base64url")}`;
}

/** The parts that can be read without a key. Errors: EnvelopeInvalid. */
export function parseEnvelope(envelope: string): { kind: EnvelopeKind; keyId: string; body: Buffer } {
  const match = /^(qs1|qk1)\.([a-z0-9]{1,32})\.([A-Za-z0-9_-]+)$/.exec(envelope);
  const body = Buffer.from(match?.[3] ?? "", "base64url");
  if (match === null || body.length < nonceBytes + tagBytes || body.toString("base64url") !== match[3]) {
    fail(EnvelopeInvalid, isForeign(envelope) ? foreignEnvelope : "This is no sealed value of this platform, or it was cut short. Restore it from a backup or enter it again.");
  }
  return { kind: match[1] === prefixes.key ? "key" : "sealed", keyId: match[2] ?? "", body };
}

export function openEnvelope(envelope: string, expected: EnvelopeKind, context: SecretContext, keyOf: (keyId: string) => Uint8Array): Buffer {
  const { kind, keyId, body } = parseEnvelope(envelope);
  checkKind(kind, expected);
  const decipher = createDecipheriv("aes-256-gcm", sealingKey(keyOf(keyId)), body.subarray(0, nonceBytes));
  decipher.setAAD(additionalData(kind, keyId, context));
  decipher.setAuthTag(body.subarray(body.length - tagBytes));
  try {
    return Buffer.concat([decipher.update(body.subarray(nonceBytes, body.length - tagBytes)), decipher.final()]);
  } catch {
    throw new DeclaredError(EnvelopeInvalid, `The value sealed for ${describeContext(context)} under key ${keyId} was changed, or it was sealed for another place. Restore it from a backup or enter it again.`);
  }
}

export function checkKind(kind: EnvelopeKind, expected: EnvelopeKind): void {
  if (kind !== expected) fail(EnvelopeInvalid, expected === "key" ? "This is a sealed value, not a wrapped data key." : "This is a wrapped data key, not a sealed value.");
}

export const foreignEnvelope = "This was sealed where SECRETS_URL pointed before. Stop the platform and run: qinfra keys rewrap --from THE-URL-OF-BEFORE";

/** An envelope of an adapter with keys of another system: see engine-envelope.ts. */
function isForeign(envelope: string): boolean {
  return envelope.startsWith("qs2.") || envelope.startsWith("qk2.");
}

/** HKDF-SHA-256 (RFC 5869) without salt. Each use of a platform key has its own label, and none uses the key itself. */
export function subkey(key: Uint8Array, label: string): Buffer {
  return Buffer.from(hkdfSync("sha256", key, new Uint8Array(0), label, 32));
}

export function sealingKey(key: Uint8Array): Buffer {
  return subkey(key, "qinfra/seal/1");
}

/** A JSON array, because joined text could read the same for two contexts. */
function additionalData(kind: EnvelopeKind, keyId: string, context: SecretContext): Buffer {
  return Buffer.from(JSON.stringify(["qinfra-envelope", 1, kind, keyId, context.purpose, context.org ?? null]));
}

export function describeContext(context: SecretContext): string {
  return context.org === undefined ? `${context.purpose} of the platform` : `${context.purpose} of organization ${context.org}`;
}
