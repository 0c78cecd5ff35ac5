import { createHmac } from "node:crypto";

/** Before the base64 text of a symmetric secret. */
const prefix = "whsec_";

/** Bytes of a secret in its written form `whsec_<base64>`; undefined where it is none, or not 24 to 64 bytes long. */
export function secretBytes(secret: string): Buffer | undefined {
  if (!secret.startsWith(prefix)) return undefined;
  const text = secret.slice(prefix.length);
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text && bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined;
}

/** `whsec_...` of random bytes. */
export function writtenSecret(bytes: Uint8Array): string {
  return `${prefix}${Buffer.from(bytes).toString("base64")}`;
}

/**
 * The headers of a webhook as Standard Webhooks 1.0 has them (github.com/standard-webhooks/standard-webhooks,
 * spec/standard-webhooks.md): HMAC-SHA256 over `id.timestamp.body`, base64, after `v1,`. With several secrets there are
 * as many signatures, separated by spaces, so that a receiver may change its secret at any time within a rotation.
 */
export function signedHeaders(message: { id: string; at: number; body: string }, secrets: readonly string[]): Record<string, string> {
  const timestamp = String(Math.floor(message.at / 1_000));
  const signatures = secrets.map((secret) => {
    const key = secretBytes(secret);
    if (key === undefined) throw new TypeError("not a secret of a webhook");
    return `v1,${createHmac("sha256", key).update(`${message.id}.${timestamp}.${message.body}`).digest("base64")}`;
  });
  return { "webhook-id": message.id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}
