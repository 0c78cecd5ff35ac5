import { randomBytes } from "node:crypto";
import { Type, type TString } from "typebox";
import type { Clock } from "./clock.ts";

/** Makes identifiers. Inside the platform an id is a UUIDv7 (RFC 9562), outside a TypeID such as `img_01j...`. */
export interface Ids {
  uuid(): string;
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford base32, lower case, as TypeID 0.3 writes it

/** Ids in the order in which they were made: within one millisecond the 12-bit field counts on. */
export function createIds(clock: Clock, random: (bytes: number) => Uint8Array = pooled(randomBytes)): Ids {
  let lastTime = 0;
  let counter = 0;
  return {
    uuid() {
      const now = Math.max(clock.now(), lastTime);
      const bytes = Buffer.from(random(16));
      counter = now === lastTime ? counter + 1 : bytes.readUInt16BE(6) & 0x7ff;
      lastTime = now;
      if (counter > 0xfff) {
        lastTime += 1;
        counter = 0;
      }
      bytes.writeUIntBE(lastTime, 0, 6);
      bytes.writeUInt16BE(0x7000 | counter, 6);
      bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
      const hex = bytes.toString("hex");
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
  };
}

const poolBytes = 4096;

/** Random bytes drawn in one call for many ids; each byte is given out once. */
function pooled(random: (bytes: number) => Uint8Array): (bytes: number) => Uint8Array {
  let pool: Uint8Array = new Uint8Array(0);
  return (bytes) => {
    if (pool.length < bytes) pool = random(poolBytes);
    const taken = pool.subarray(0, bytes);
    pool = pool.subarray(bytes);
    return taken;
  };
}

/**
 * `("img", "0193...")` -> `img_01j...`. 26 letters are 130 bits, the first two of them zero: two letters for the first
 * byte, then four letters for each five hexadecimal digits.
 */
export function toTypeId(prefix: string, uuid: string): string {
  const hex = uuid.replaceAll("-", "");
  const first = Number.parseInt(hex.slice(0, 2), 16);
  let text = `${prefix}_${letter(first >> 5)}${letter(first)}`;
  for (let at = 2; at < 32; at += 5) {
    const bits = Number.parseInt(hex.slice(at, at + 5), 16);
    text += letter(bits >> 15) + letter(bits >> 10) + letter(bits >> 5) + letter(bits);
  }
  return text;
}

function letter(bits: number): string {
  return alphabet[bits & 31] as string;
}

/** The UUID of a TypeID, or undefined when it is not a TypeID of that prefix. */
export function fromTypeId(prefix: string, id: string): string | undefined {
  const suffix = id.startsWith(`${prefix}_`) ? id.slice(prefix.length + 1) : "";
  if (!/^[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(suffix)) return undefined;
  let hex = hexOf(suffix.slice(0, 2), 2);
  for (let at = 2; at < 26; at += 4) hex += hexOf(suffix.slice(at, at + 4), 5);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function hexOf(letters: string, digits: number): string {
  let bits = 0;
  for (const char of letters) bits = (bits << 5) | alphabet.indexOf(char);
  return bits.toString(16).padStart(digits, "0");
}

/** The schema of a TypeID in an operation's input or output. */
export function TypeId(prefix: string, description: string): TString {
  return Type.String({ pattern: `^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`, description, examples: [`${prefix}_01jd0000000000000000000000`] });
}

/** As `fromTypeId`, for a value that its schema has already checked. */
export function uuidOf(prefix: string, id: string): string {
  const uuid = fromTypeId(prefix, id);
  if (uuid === undefined) throw new TypeError(`not a ${prefix} id`);
  return uuid;
}
