import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Static, TSchema } from "typebox";
import { timestamp, type Clock } from "../clock.ts";
import { fail } from "../errors.ts";
import { openEnvelope, parseEnvelope, sealEnvelope, subkey } from "./envelope.ts";
import { formatKeyFile, parseKeyFile, PlatformKeys, SigningKeys } from "./key-file.ts";
import { createPrivate, fileVersion, preparePrivateFolder, readPrivate, replacePrivate } from "./private-file.ts";
import { signerOf, verifierOf } from "./signing.ts";
import { KeyFileMissing, UnknownKey, type Random, type Secrets } from "./types.ts";

export interface FileSecretsOptions {
  /** Absolute; holds `platform-keys.json` and `signing-keys.json`, both 0600. */
  folder: string;
  /** True once anything was sealed or signed, for example when the database is there: keys are then never made anew. */
  dataExists: boolean;
  clock: Clock;
  random?: Random;
}

/** Secrets under a key file that only its owner can read. Errors: KeyFileMissing, KeyFileUnusable. */
export async function openFileSecrets({ folder, dataExists, clock, random = randomBytes }: FileSecretsOptions): Promise<Secrets> {
  const platformPath = join(folder, "platform-keys.json");
  const signingPath = join(folder, "signing-keys.json");
  if (fileVersion(folder) !== undefined) await preparePrivateFolder(folder);
  const signingThere = fileVersion(signingPath) !== undefined;
  await ensure(platformPath, dataExists || signingThere, folder, random, () => formatKeyFile("qinfra-platform-keys", firstPlatformKeys(clock, random)));
  await ensure(signingPath, dataExists, folder, random, () => formatKeyFile("qinfra-signing-keys", firstSigningKeys(clock, random)));
  const platform = cached(platformPath, "qinfra-platform-keys", PlatformKeys);
  const signing = cached(signingPath, "qinfra-signing-keys", SigningKeys);
  platform();
  signing();

  function keyOf(keyId: string): Buffer {
    const found = platform().keys.find((key) => key.id === keyId);
    if (found === undefined) {
      fail(UnknownKey, `The platform key ${keyId} is not in ${platformPath}. Restore the newest backup of that file: keys are only ever added to it.`);
    }
    return Buffer.from(found.key, "base64");
  }

  return {
    async seal(plaintext, context) {
      const { current } = platform();
      return sealEnvelope("sealed", current, keyOf(current), plaintext, context, random);
    },
    async open(envelope, context) {
      return openEnvelope(envelope, "sealed", context, keyOf);
    },
    async createDataKey(context) {
      const { current } = platform();
      const key = Buffer.from(random(32));
      return { key, wrapped: sealEnvelope("key", current, keyOf(current), key, context, random) };
    },
    async unwrap(wrapped, context) {
      return openEnvelope(wrapped, "key", context, keyOf);
    },
    async rewrap(envelope, context) {
      const { current } = platform();
      const { kind, keyId } = parseEnvelope(envelope);
      const plaintext = openEnvelope(envelope, kind, context, keyOf);
      return keyId === current ? envelope : sealEnvelope(kind, current, keyOf(current), plaintext, context, random);
    },
    async rotate() {
      const added = newPlatformKey(clock, random, false);
      await replacePrivate(platformPath, random, () => formatKeyFile("qinfra-platform-keys", { current: added.id, keys: [...platform().keys, added] }));
      return { keyId: added.id };
    },
    derive(purpose) {
      const root = platform().keys.find((key) => key.root);
      if (root === undefined) fail(UnknownKey, `No key in ${platformPath} is marked as root. Restore that file from your backup.`);
      return subkey(Buffer.from(root.key, "base64"), `qinfra/derive/1/${purpose}`);
    },
    signer() {
      return signerOf(Buffer.from(signing().seed, "base64"));
    },
    verifier(keyId) {
      const found = signing().keys.find((key) => key.id === keyId);
      return found && verifierOf(found.id, found.publicKey);
    },
    async rotateSigner() {
      const next = firstSigningKeys(clock, random);
      await replacePrivate(signingPath, random, () => formatKeyFile("qinfra-signing-keys", { ...next, keys: [...signing().keys, ...next.keys] }));
      return { keyId: next.current };
    },
  };
}

async function ensure(path: string, dataExists: boolean, folder: string, random: Random, first: () => string): Promise<void> {
  if (fileVersion(path) !== undefined) return;
  if (dataExists) {
    fail(KeyFileMissing, `${path} is missing, and there is data that only its keys can open. Restore the file from your backup, or point SECRETS_URL to where it is. A new one is made only for a new installation.`);
  }
  await preparePrivateFolder(folder);
  await createPrivate(path, first(), random);
}

/** Reads the file again when another process has replaced it, as a rotation by the CLI does beside a running server. */
function cached<T extends TSchema>(path: string, format: string, schema: T): () => Static<T> {
  let version: string | undefined;
  let kept: Static<T> | undefined;
  return () => {
    const found = fileVersion(path);
    if (kept !== undefined && found === version) return kept;
    const text = readPrivate(path);
    if (text === undefined) fail(KeyFileMissing, `${path} is missing. Restore it from your backup, or point SECRETS_URL to where it is.`);
    const content = parseKeyFile(path, format, schema, text);
    kept = content;
    version = found;
    return content;
  };
}

function newPlatformKey(clock: Clock, random: Random, root: boolean): PlatformKeys["keys"][number] {
  return { id: `k${Buffer.from(random(6)).toString("hex")}`, created: timestamp(clock), root, key: Buffer.from(random(32)).toString("base64") };
}

function firstPlatformKeys(clock: Clock, random: Random): PlatformKeys {
  const key = newPlatformKey(clock, random, true);
  return { current: key.id, keys: [key] };
}

function firstSigningKeys(clock: Clock, random: Random): SigningKeys {
  const seed = Buffer.from(random(32));
  const { keyId, publicKey } = signerOf(seed);
  return { current: keyId, seed: seed.toString("base64"), keys: [{ id: keyId, created: timestamp(clock), publicKey }] };
}
