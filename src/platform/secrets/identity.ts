import { Type, type Static } from "typebox";
import { timestamp, type Clock } from "../clock.ts";
import { subkey } from "./envelope.ts";
import { SigningKeys } from "./key-file.ts";
import { signerOf, verifierOf } from "./signing.ts";
import type { Random, Secrets } from "./types.ts";

/** What a platform is known by, wherever its keys lie: it stays the same when they move to another adapter. */
export const PlatformIdentity = Type.Object({
  /** 32 bytes in base64, of which `derive` makes everything. */
  root: Type.String({ pattern: "^[A-Za-z0-9+/]{43}=$" }),
  signing: SigningKeys,
});
export type PlatformIdentity = Static<typeof PlatformIdentity>;

export function newIdentity(clock: Clock, random: Random): PlatformIdentity {
  return { root: Buffer.from(random(32)).toString("base64"), signing: newSigningKeys(clock, random) };
}

export function newSigningKeys(clock: Clock, random: Random): SigningKeys {
  const seed = Buffer.from(random(32));
  const { keyId, publicKey } = signerOf(seed);
  return { current: keyId, seed: seed.toString("base64"), keys: [{ id: keyId, created: timestamp(clock), publicKey }] };
}

/** The new pair is current; of the old one only the public key is kept. */
export function withNextSigner(signing: SigningKeys, clock: Clock, random: Random): SigningKeys {
  const next = newSigningKeys(clock, random);
  return { ...next, keys: [...signing.keys, ...next.keys] };
}

export function deriveFrom(root: string, purpose: string): Buffer {
  return subkey(Buffer.from(root, "base64"), `qinfra/derive/1/${purpose}`);
}

/** The part of the port that needs no key of another system. */
export function signing(keys: () => SigningKeys): Pick<Secrets, "signer" | "verifier"> {
  return {
    signer: () => signerOf(Buffer.from(keys().seed, "base64")),
    verifier(keyId) {
      const found = keys().keys.find((key) => key.id === keyId);
      return found && verifierOf(found.id, found.publicKey);
    },
  };
}
