import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync } from "node:crypto";
import { DeclaredError, errorType, fail, TooLarge } from "../errors.ts";

export const BlobDamaged = errorType("blob-damaged", 500, "A stored file is damaged");

/** A 256-bit key of an organization and the name it is found by. */
export interface DataKey {
  id: string;
  key: Uint8Array;
}

/** Where a blob lies; it is authenticated with the bytes, so that one file copied over another does not open. */
export interface BlobPlace {
  orgId: string;
  kind: "cas" | "ref";
  /** The digest, or the pointer's name. */
  name: string;
}

const magic = Buffer.from("QIB1");
const nonceBytes = 12;
const tagBytes = 16;

/** How much longer than its plain bytes a stored file can be. */
export const blobOverhead = magic.length + 1 + 255 + nonceBytes + tagBytes;

/**
 * `QIB1`, length of the key id (1 byte), key id, nonce (12), ciphertext, tag (16): AES-256-GCM (NIST SP 800-38D)
 * with the place as additional data. Random nonces are safe for 2^32 writes a data key.
 */
export function encryptBlob(place: BlobPlace, dataKey: DataKey, bytes: Uint8Array, random: (bytes: number) => Uint8Array): Buffer {
  const id = Buffer.from(dataKey.id);
  if (id.length === 0 || id.length > 255) throw new RangeError("a data key's id has 1 to 255 bytes");
  const nonce = random(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", dataKey.key, nonce);
  cipher.setAAD(additionalData(place, dataKey.id));
  return Buffer.concat([magic, Uint8Array.of(id.length), id, nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** The plain bytes; a blob's are those of its digest. Errors: BlobDamaged; it says which file and what is wrong with it. */
export async function decryptBlob(place: BlobPlace, stored: Buffer, keyOf: (id: string) => Promise<Uint8Array>): Promise<Buffer> {
  const start = magic.length + 1 + (stored[magic.length] ?? 0);
  if (stored.length < start + nonceBytes + tagBytes || !stored.subarray(0, magic.length).equals(magic)) {
    fail(BlobDamaged, `${describePlace(place)} was cut short or is no blob of this platform. ${restore}`);
  }
  const keyId = stored.subarray(magic.length + 1, start).toString();
  const decipher = createDecipheriv("aes-256-gcm", await keyOf(keyId), stored.subarray(start, start + nonceBytes));
  decipher.setAAD(additionalData(place, keyId));
  decipher.setAuthTag(stored.subarray(stored.length - tagBytes));
  let plain: Buffer;
  try {
    plain = Buffer.concat([decipher.update(stored.subarray(start + nonceBytes, stored.length - tagBytes)), decipher.final()]);
  } catch {
    throw new DeclaredError(BlobDamaged, `${describePlace(place)} was changed where it lies, or another file was put in its place. ${restore}`);
  }
  if (place.kind === "cas" && sha256(plain) !== place.name) fail(BlobDamaged, `${describePlace(place)} holds other bytes than its digest says. ${restore}`);
  return plain;
}

/**
 * The nonce of a content-addressed blob: HMAC-SHA-256 of its place under a subkey of the data key, cut to 12 bytes. The
 * digest fixes the content, so a nonce comes back only with the bytes that it was used for; the same blob then has the
 * same ciphertext at each attempt, and the parts of an interrupted upload stay good.
 */
export function nonceOf(place: BlobPlace, dataKey: DataKey): Buffer {
  const key = Buffer.from(hkdfSync("sha256", dataKey.key, new Uint8Array(0), "qinfra/blob-nonce/1", 32));
  return createHmac("sha256", key).update(additionalData(place, dataKey.id)).digest().subarray(0, nonceBytes);
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Errors: TooLarge. */
export function checkSize(bytes: Uint8Array, most: number): void {
  if (bytes.length > most) fail(TooLarge, `A stored file may have ${most} bytes; this one has ${bytes.length}.`);
}

export const restore = "Restore this file from a backup, or store its content again.";

export function describePlace(place: BlobPlace): string {
  return `${place.kind === "cas" ? "Blob" : "Object"} ${place.name} of organization ${place.orgId}`;
}

function additionalData(place: BlobPlace, keyId: string): Buffer {
  return Buffer.from(JSON.stringify(["qinfra-blob", 1, place.kind, place.orgId, place.name, keyId]));
}
