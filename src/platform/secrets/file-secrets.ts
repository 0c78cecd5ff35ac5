import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Static, TSchema } from "typebox";
import { timestamp, type Clock } from "../clock.ts";
import { fail } from "../errors.ts";
import { openEnvelope, parseEnvelope, sealEnvelope } from "./envelope.ts";
import { deriveFrom, newSigningKeys, signing, withNextSigner, type PlatformIdentity } from "./identity.ts";
import { formatKeyFile, parseKeyFile, PlatformKeys, SigningKeys } from "./key-file.ts";
import { createPrivate, fileVersion, preparePrivateFolder, readPrivate, replacePrivate } from "./private-file.ts";
import { KeyFileMissing, UnknownKey, type EnvelopeKind, type OpenedSecrets, type Random, type SecretContext } from "./types.ts";

export interface FileSecretsOptions {
  /** Absolute; holds `platform-keys.json` and `signing-keys.json`, both 0600. */
  folder: string;
  /** True once anything was sealed or signed, for example when the database is there: keys are then never made anew. */
  dataExists: boolean;
  clock: Clock;
  random?: Random;
  /** What new files are made of, when a platform moves here from another adapter. */
  identity?: PlatformIdentity;
}

/** Secrets under a key file that only its owner can read. Errors: KeyFileMissing, KeyFileUnusable. */
export async function openFileSecrets({ folder, dataExists, clock, random = randomBytes, identity }: FileSecretsOptions): Promise<OpenedSecrets> {
  const platformPath = join(folder, "platform-keys.json");
  const signingPath = join(folder, "signing-keys.json");
  if (fileVersion(folder) !== undefined) await preparePrivateFolder(folder);
  const signingThere = fileVersion(signingPath) !== undefined;
  const lost = dataExists && identity === undefined;
  await ensure(platformPath, lost || signingThere, folder, random, () => formatKeyFile("qinfra-platform-keys", firstPlatformKeys(clock, random, identity)));
  await ensure(signingPath, lost, folder, random, () => formatKeyFile("qinfra-signing-keys", identity?.signing ?? newSigningKeys(clock, random)));
  const platform = cached(platformPath, "qinfra-platform-keys", PlatformKeys);
  const signingKeys = cached(signingPath, "qinfra-signing-keys", SigningKeys);
  platform();
  signingKeys();

  if (identity !== undefined && identity.root !== root()) fail(KeyFileMissing, `${folder} holds the keys of another platform. Name an empty folder for this one.`);

  function keyOf(keyId: string): Buffer {
    const found = platform().keys.find((key) => key.id === keyId);
    if (found === undefined) {
      fail(UnknownKey, `The platform key ${keyId} is not in ${platformPath}. Restore the newest backup of that file: keys are only ever added to it.`);
    }
    return Buffer.from(found.key, "base64");
  }

  function root(): string {
    const found = platform().keys.find((key) => key.root);
    if (found === undefined) fail(UnknownKey, `No key in ${platformPath} is marked as root. Restore that file from your backup.`);
    return found.key;
  }

  async function conceal(kind: EnvelopeKind, plaintext: Uint8Array, context: SecretContext): Promise<string> {
    const { current } = platform();
    return sealEnvelope(kind, current, keyOf(current), plaintext, context, random);
  }

  return {
    seal: (plaintext, context) => conceal("sealed", plaintext, context),
    async open(envelope, context) {
      return openEnvelope(envelope, "sealed", context, keyOf);
    },
    async createDataKey(context) {
      const key = Buffer.from(random(32));
      return { key, wrapped: await conceal("key", key, context) };
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
    derive: (purpose) => deriveFrom(root(), purpose),
    ...signing(signingKeys),
    async rotateSigner() {
      let current = "";
      await replacePrivate(signingPath, random, () => {
        const next = withNextSigner(signingKeys(), clock, random);
        current = next.current;
        return formatKeyFile("qinfra-signing-keys", next);
      });
      return { keyId: current };
    },
    async health() {
      try {
        platform();
        signingKeys();
        return "ok";
      } catch (error) {
        return (error as Error).message;
      }
    },
    close() {},
    async renew() {},
    identity: () => ({ root: root(), signing: signingKeys() }),
    mayHold(envelope) {
      const keyId = /^q[sk]1\.([a-z0-9]+)\./.exec(envelope)?.[1];
      return platform().keys.some((key) => key.id === keyId);
    },
    async reveal(envelope, context) {
      const { kind } = parseEnvelope(envelope);
      return { kind, plaintext: openEnvelope(envelope, kind, context, keyOf) };
    },
    conceal,
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

function firstPlatformKeys(clock: Clock, random: Random, identity: PlatformIdentity | undefined): PlatformKeys {
  const made = newPlatformKey(clock, random, true);
  const key = identity === undefined ? made : { ...made, key: identity.root };
  return { current: key.id, keys: [key] };
}
