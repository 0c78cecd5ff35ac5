import { createCipheriv, createDecipheriv } from "node:crypto";
import { DeclaredError, fail } from "../errors.ts";
import type { KeyEngine, WrappedKey } from "./engine.ts";
import { describeContext, foreignEnvelope, sealingKey } from "./envelope.ts";
import { EnvelopeInvalid, type EnvelopeKind, type Random, type SecretContext } from "./types.ts";

export interface EngineEnvelope extends WrappedKey {
  kind: EnvelopeKind;
  engine: KeyEngine["name"];
  body: Buffer;
}

const prefixes: Record<EnvelopeKind, string> = { sealed: "qs2", key: "qk2" };
const nonceBytes = 12;
const tagBytes = 16;

/**
 * `<qs2|qk2>.<vault|kms>.<id of the engine's key>.<base64url of the wrapped key>.<base64url of nonce (12), ciphertext,
 * tag (16)>`: AES-256-GCM (NIST SP 800-38D) under a subkey of the key that the engine wrapped.
 */
export function sealEngineEnvelope(kind: EnvelopeKind, engine: KeyEngine["name"], key: WrappedKey & { key: Uint8Array }, plaintext: Uint8Array, context: SecretContext, random: Random): string {
  const nonce = random(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", sealingKey(key.key), nonce);
  cipher.setAAD(additionalData({ ...key, kind, engine }, context));
  const body = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return [prefixes[kind], engine, key.keyId, key.wrapped.toString("base64url"), body.toString("base64url")].join(".");
}

/** The parts that can be read without a key. Errors: EnvelopeInvalid. */
export function parseEngineEnvelope(envelope: string): EngineEnvelope {
  const match = /^(qs2|qk2)\.(vault|kms)\.([a-z0-9-]{1,80})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/.exec(envelope);
  const wrapped = Buffer.from(match?.[4] ?? "", "base64url");
  const body = Buffer.from(match?.[5] ?? "", "base64url");
  // Base64 has several texts for the same bytes: only one of them is ours.
  if (match === null || body.length < nonceBytes + tagBytes || body.toString("base64url") !== match[5] || wrapped.toString("base64url") !== match[4]) {
    fail(EnvelopeInvalid, /^q[sk]1\./.test(envelope) ? foreignEnvelope : "This is no sealed value of this platform, or it was cut short. Restore it from a backup or enter it again.");
  }
  return { kind: match[1] === prefixes.key ? "key" : "sealed", engine: match[2] as KeyEngine["name"], keyId: match[3] ?? "", wrapped, body };
}

/** Errors: EnvelopeInvalid. */
export function openEngineEnvelope(envelope: EngineEnvelope, key: Uint8Array, context: SecretContext): Buffer {
  const { body } = envelope;
  const decipher = createDecipheriv("aes-256-gcm", sealingKey(key), body.subarray(0, nonceBytes));
  decipher.setAAD(additionalData(envelope, context));
  decipher.setAuthTag(body.subarray(body.length - tagBytes));
  try {
    return Buffer.concat([decipher.update(body.subarray(nonceBytes, body.length - tagBytes)), decipher.final()]);
  } catch {
    throw new DeclaredError(EnvelopeInvalid, `The value sealed for ${describeContext(context)} was changed, or it was sealed for another place. Restore it from a backup or enter it again.`);
  }
}

function additionalData({ kind, engine, keyId, wrapped }: Omit<EngineEnvelope, "body">, context: SecretContext): Buffer {
  return Buffer.from(JSON.stringify(["qinfra-envelope", 2, kind, engine, keyId, wrapped.toString("base64url"), context.purpose, context.org ?? null]));
}
