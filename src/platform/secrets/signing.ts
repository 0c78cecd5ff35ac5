import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import type { Signer, Verifier } from "./types.ts";

// PrivateKeyInfo of RFC 8410 up to the seed, so that a key pair can be made of bytes from the random port.
const pkcs8Prefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** The Ed25519 signer of a 32-byte seed. Its key id is the start of the SHA-256 of its public key. */
export function signerOf(seed: Uint8Array): Signer {
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(privateKey);
  const keyId = createHash("sha256").update(publicKey.export({ format: "der", type: "spki" })).digest("hex").slice(0, 16);
  return {
    keyId,
    publicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
    sign: async (bytes) => sign(null, bytes, privateKey),
  };
}

export function verifierOf(keyId: string, publicKey: string): Verifier {
  const key = createPublicKey(publicKey);
  return { keyId, publicKey, verify: (bytes, signature) => verify(null, bytes, key, signature) };
}
