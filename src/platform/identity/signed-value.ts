import { createHmac, timingSafeEqual } from "node:crypto";

/** A value for a cookie that only who has the key can have made: base64url of its JSON, and HMAC-SHA-256 of that. */
export function signedValue(value: unknown, key: Uint8Array): string {
  const text = Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${text}.${macOf(text, key)}`;
}

/** The value, or undefined where it was not made by `signedValue` with this key. Its age is for the caller to judge. */
export function readSigned(signed: string | undefined, key: Uint8Array): unknown {
  const [text = "", mac = "", ...more] = signed?.split(".") ?? [];
  const [given, expected] = [Buffer.from(mac), Buffer.from(macOf(text, key))];
  if (more.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  return JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as unknown;
}

function macOf(text: string, key: Uint8Array): string {
  return createHmac("sha256", key).update(`qinfra-signed/1 ${text}`).digest("base64url");
}
