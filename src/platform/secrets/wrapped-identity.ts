import { join } from "node:path";
import { Type } from "typebox";
import { Check } from "typebox/value";
import { fail } from "../errors.ts";
import type { IdentityStore, KeyEngine } from "./engine.ts";
import { openEngineEnvelope, parseEngineEnvelope, sealEngineEnvelope } from "./engine-envelope.ts";
import { PlatformIdentity } from "./identity.ts";
import { formatKeyFile, parseKeyFile } from "./key-file.ts";
import { createPrivate, fileVersion, preparePrivateFolder, readPrivate, replacePrivate } from "./private-file.ts";
import { KeyFileUnusable, type Random } from "./types.ts";

const Content = Type.Object({ sealed: Type.String({ minLength: 1 }) });
const format = "qinfra-wrapped-identity";
const context = { purpose: "platform-identity" };

/** The platform's identity in a file of the key folder, sealed under a key that the engine wrapped: worth nothing without the engine. */
export function wrappedIdentityStore(folder: string, engine: KeyEngine, random: Random): IdentityStore {
  const path = join(folder, `${engine.name}-identity.json`);

  async function sealed(identity: PlatformIdentity): Promise<string> {
    const key = await engine.generate(context);
    return formatKeyFile(format, { sealed: sealEngineEnvelope("sealed", engine.name, key, Buffer.from(JSON.stringify(identity)), context, random) });
  }

  async function load() {
    if (fileVersion(folder) !== undefined) await preparePrivateFolder(folder);
    const version = fileVersion(path);
    const text = readPrivate(path);
    if (text === undefined || version === undefined) return undefined;
    const envelope = parseEngineEnvelope(parseKeyFile(path, format, Content, text).sealed);
    const identity: unknown = JSON.parse(openEngineEnvelope(envelope, await engine.unwrap(envelope, context), context).toString());
    if (!Check(PlatformIdentity, identity)) fail(KeyFileUnusable, `${path} holds no identity of a platform. Restore it from your backup.`);
    return { identity, version };
  }

  async function replace(identity: PlatformIdentity, version: string): Promise<boolean> {
    const text = await sealed(identity);
    let replaced = true;
    await replacePrivate(path, random, () => {
      replaced = fileVersion(path) === version;
      return replaced ? text : (readPrivate(path) ?? text);
    });
    return replaced;
  }

  return {
    describe: path,
    load,
    async create(identity) {
      await preparePrivateFolder(folder);
      return createPrivate(path, await sealed(identity), random);
    },
    replace,
    async renew() {
      const found = await load();
      if (found !== undefined) await replace(found.identity, found.version);
    },
  };
}
