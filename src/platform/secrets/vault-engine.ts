import { Check } from "typebox/value";
import { DeclaredError, fail } from "../errors.ts";
import type { IdentityStore, KeyEngine } from "./engine.ts";
import { describeContext } from "./envelope.ts";
import { PlatformIdentity } from "./identity.ts";
import type { VaultPlace } from "./secrets-place.ts";
import { EnvelopeInvalid, KeyFileUnusable, SecretsUnavailable, SecretsUrlInvalid, UnknownKey, type Random, type SecretContext } from "./types.ts";
import { VaultRefused, type VaultClient } from "./vault-client.ts";

/** Vault's transit engine. The key is derived: Vault makes another one for each context, and opens nothing under the wrong one. */
export async function openVaultEngine(place: VaultPlace, client: VaultClient, random: Random, close: () => void): Promise<KeyEngine> {
  const keyPath = `${place.transit}/keys/${place.key}`;

  async function readKey(): Promise<Record<string, unknown>> {
    return client.call("GET", keyPath).catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error;
      return fail(SecretsUnavailable, `Vault has no key ${place.key} in ${place.transit}. Make it: vault write -f ${keyPath} type=aes256-gcm96 derived=true`);
    });
  }

  async function current(): Promise<string> {
    const { latest_version: version } = await readKey();
    if (typeof version !== "number") fail(SecretsUnavailable, `Vault does not say which version ${keyPath} has. See that it is a transit key.`);
    return `v${version}`;
  }

  await readKey().catch(async (error: unknown) => {
    if (!(error instanceof DeclaredError) || !error.message.includes("Make it:")) throw error;
    await client.call("PUT", keyPath, { type: "aes256-gcm96", derived: true }).catch(() => {
      throw error;
    });
  });
  if ((await readKey())["derived"] !== true) fail(SecretsUrlInvalid, `The transit key ${place.key} is not derived, so Vault would not tell organizations apart. Name another one, made with derived=true.`);

  return {
    name: "vault",
    async generate(context) {
      const key = Buffer.from(random(32));
      const { ciphertext } = await client.call("PUT", `${place.transit}/encrypt/${place.key}`, { plaintext: key.toString("base64"), context: contextOf(context) });
      const [, version, body] = /^vault:v(\d+):(.+)$/.exec(typeof ciphertext === "string" ? ciphertext : "") ?? [];
      if (version === undefined || body === undefined) fail(SecretsUnavailable, "Vault's answer holds no ciphertext. See that SECRETS_URL names a transit engine.");
      return { key, keyId: `v${version}`, wrapped: Buffer.from(body, "base64") };
    },
    async unwrap({ keyId, wrapped }, context) {
      const sealedFor = `The value sealed for ${describeContext(context)} under ${keyId} of Vault's key`;
      if (!/^v\d{1,9}$/.test(keyId)) fail(UnknownKey, `${sealedFor} names no version of a Vault key.`);
      try {
        const { plaintext } = await client.call("PUT", `${place.transit}/decrypt/${place.key}`, { ciphertext: `vault:${keyId}:${wrapped.toString("base64")}`, context: contextOf(context) });
        const key = Buffer.from(typeof plaintext === "string" ? plaintext : "", "base64");
        if (key.length === 32) return key;
      } catch (error) {
        if (statusOf(error) === undefined) throw error;
      }
      return fail(EnvelopeInvalid, `${sealedFor} was changed, was sealed for another place, or that version is below min_decryption_version. Restore it from a backup or enter it again.`);
    },
    current,
    async rotate() {
      await client.call("PUT", `${keyPath}/rotate`, {});
      return current();
    },
    async check() {
      await readKey();
    },
    close,
  };
}

/** The platform's identity as a secret of the KV engine, version 2; its check-and-set guards each change. */
export function vaultIdentityStore(place: VaultPlace, client: VaultClient): IdentityStore {
  const path = `${place.kv}/data/${place.path}`;

  async function write(identity: PlatformIdentity, cas: number): Promise<boolean> {
    try {
      await client.call("PUT", path, { data: { identity: JSON.stringify(identity) }, options: { cas } });
      return true;
    } catch (error) {
      if (statusOf(error) === 400 && (error as Error).message.includes("check-and-set")) return false;
      throw error instanceof DeclaredError && error.type === VaultRefused ? new DeclaredError(SecretsUnavailable, error.message) : error;
    }
  }

  return {
    describe: `The secret ${place.kv}/${place.path} in Vault`,
    async load() {
      const found = await client.call("GET", path).catch((error: unknown) => {
        if (statusOf(error) === 404) return undefined;
        throw error instanceof DeclaredError && error.type === VaultRefused ? new DeclaredError(SecretsUnavailable, error.message) : error;
      });
      if (found === undefined) return undefined;
      const { data, metadata } = found as { data?: { identity?: unknown }; metadata?: { version?: unknown } };
      const identity = parse(data?.identity);
      if (!Check(PlatformIdentity, identity)) fail(KeyFileUnusable, `The secret ${place.kv}/${place.path} in Vault is no identity of a platform. Restore an older version of it: vault kv rollback`);
      return { identity, version: String(metadata?.version) };
    },
    create: (identity) => write(identity, 0),
    replace: (identity, version) => write(identity, Number(version)),
  };
}

function contextOf({ purpose, org }: SecretContext): string {
  return Buffer.from(JSON.stringify(["qinfra", purpose, org ?? null])).toString("base64");
}

function statusOf(error: unknown): number | undefined {
  return error instanceof DeclaredError && error.type === VaultRefused ? (error.data?.["status"] as number) : undefined;
}

function parse(text: unknown): unknown {
  try {
    return typeof text === "string" ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
