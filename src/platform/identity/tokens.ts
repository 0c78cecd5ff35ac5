import { hash, randomBytes, timingSafeEqual } from "node:crypto";

export type Random = (bytes: number) => Uint8Array;

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford base32: five bits a character, none mistaken for another

const sessionLength = 52; // 260 bits
const prefixLength = 12;
const secretLength = 40; // 200 bits

/** Random text of five bits a character; the alphabet has 32 letters, so none is likelier than another. */
export function randomText(length: number, random: Random = randomBytes): string {
  return Array.from(random(length), (byte) => alphabet[byte & 31]).join("");
}

/** What is stored of a token. Tokens are random, so a plain hash is enough: there is nothing to guess from. */
export function tokenHash(token: string): Buffer {
  return hash("sha256", token, "buffer");
}

export function newSessionToken(random: Random = randomBytes): { token: string; hash: Buffer } {
  const token = `qis_${randomText(sessionLength, random)}`;
  return { token, hash: tokenHash(token) };
}

const sessionPattern = new RegExp(`^qis_[${alphabet}]{${sessionLength}}$`);

export function isSessionToken(token: string): boolean {
  return sessionPattern.test(token);
}

/** Opaque access tokens of the embedded provider: 256 bits, six a character. */
export function isAccessToken(token: string): boolean {
  return /^[\w-]{43}$/.test(token);
}

/** `qik_<prefix>_<secret>`: the prefix finds the key and may be shown, the secret is seen once. */
export function newApiKey(random: Random = randomBytes): { key: string; prefix: string; hash: Buffer } {
  const prefix = randomText(prefixLength, random);
  const secret = randomText(secretLength, random);
  return { key: `qik_${prefix}_${secret}`, prefix, hash: tokenHash(secret) };
}

const keyPattern = new RegExp(`^qik_([${alphabet}]{${prefixLength}})_([${alphabet}]{${secretLength}})$`);

export function parseApiKey(text: string): { prefix: string; hash: Buffer } | undefined {
  const match = keyPattern.exec(text);
  if (match === null) return undefined;
  return { prefix: match[1] ?? "", hash: tokenHash(match[2] ?? "") };
}

/** In constant time. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A password that is read from a screen and typed once: four groups of five, 100 bits. */
export function oneTimePassword(random: Random = randomBytes): string {
  return randomText(20, random).replaceAll(/(.{5})(?=.)/g, "$1-");
}
