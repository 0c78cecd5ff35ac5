import { CreateKeyCommand, DecryptCommand, DescribeKeyCommand, GenerateDataKeyCommand, GetKeyPolicyCommand, KMSClient, UpdateAliasCommand } from "@aws-sdk/client-kms";
import { awsClientOptions, createAwsCalls, LeftAlone } from "../aws/calls.ts";
import { awsErrorName, awsFailure } from "../aws/failure.ts";
import { DeclaredError, fail } from "../errors.ts";
import type { KeyEngine } from "./engine.ts";
import { describeContext } from "./envelope.ts";
import type { KmsPlace } from "./secrets-place.ts";
import { EnvelopeInvalid, SecretsUnavailable, SecretsUrlInvalid, UnknownKey, type SecretContext } from "./types.ts";
import type { EngineTls } from "../tls/index.ts";

const timeoutMs = 5_000;
const notThere = new Set(["NotFoundException"]);
const notOurs = new Set(["InvalidCiphertextException", "IncorrectKeyException", "ValidationException", "InvalidKeyUsageException"]);
const switchedOff = new Set(["DisabledException", "KMSInvalidStateException", "KeyUnavailableException"]);

/** AWS KMS. The context of a value is the encryption context, which KMS authenticates and CloudTrail shows. */
export async function openKmsEngine(place: KmsPlace, tls?: EngineTls): Promise<KeyEngine> {
  const client = new KMSClient({
    ...awsClientOptions(place.endpoint === undefined ? undefined : tls), ...(place.region === undefined ? {} : { region: place.region }), ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
  });
  const run = createAwsCalls({ timeoutMs });
  const alias = /(?:^|:)(alias\/.+)$/.exec(place.key)?.[1];
  // A key of another account is known by its ARN alone.
  const arnOf = (id: string): string => (place.key.startsWith("arn:") ? `${place.key.slice(0, place.key.lastIndexOf(":"))}:key/${id}` : id);

  async function call<T>(work: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    return run(work).catch((error: unknown) => {
      throw kmsError(error, place.key);
    });
  }

  async function describe() {
    const { KeyMetadata } = await call((abortSignal) => client.send(new DescribeKeyCommand({ KeyId: place.key }), { abortSignal }));
    if (KeyMetadata?.KeyId === undefined) fail(SecretsUnavailable, "KMS does not say which key SECRETS_URL means.");
    return { ...KeyMetadata, KeyId: KeyMetadata.KeyId };
  }

  const { KeySpec, Enabled, KeyId } = await describe().catch((error: unknown) => {
    client.destroy();
    throw error;
  });
  if (KeySpec !== undefined && KeySpec !== "SYMMETRIC_DEFAULT") fail(SecretsUrlInvalid, `The KMS key ${KeyId} is not symmetric. Name one that was made with --key-spec SYMMETRIC_DEFAULT.`);
  if (Enabled === false) fail(SecretsUnavailable, `The KMS key ${KeyId} is switched off. Switch it on: aws kms enable-key`);

  return {
    name: "kms",
    async generate(context) {
      const { Plaintext, CiphertextBlob, KeyId: arn = "" } = await call((abortSignal) => client.send(new GenerateDataKeyCommand({ KeyId: place.key, KeySpec: "AES_256", EncryptionContext: contextOf(context) }), { abortSignal }));
      if (Plaintext === undefined || CiphertextBlob === undefined) fail(SecretsUnavailable, "KMS answered without a key.");
      return { key: Buffer.from(Plaintext), keyId: idOf(arn), wrapped: Buffer.from(CiphertextBlob) };
    },
    async unwrap({ keyId, wrapped }, context) {
      const sealedFor = `The value sealed for ${describeContext(context)} under the KMS key ${keyId}`;
      try {
        const { Plaintext } = await run((abortSignal) => client.send(new DecryptCommand({ KeyId: arnOf(keyId), CiphertextBlob: wrapped, EncryptionContext: contextOf(context) }), { abortSignal }));
        return Buffer.from(Plaintext ?? "");
      } catch (error) {
        const name = awsErrorName(error);
        if (notThere.has(name)) throw new DeclaredError(UnknownKey, `${sealedFor} cannot be opened: there is no such key in this region and account. Correct SECRETS_URL; a key that was deleted cannot be brought back.`);
        if (notOurs.has(name)) throw new DeclaredError(EnvelopeInvalid, `${sealedFor} was changed, or it was sealed for another place. Restore it from a backup or enter it again.`);
        throw kmsError(error, keyId);
      }
    },
    current: async () => (await describe()).KeyId,
    async rotate() {
      if (alias === undefined) fail(SecretsUrlInvalid, "SECRETS_URL names a KMS key and no alias, so no other key can take its place. Name an alias, or let AWS rotate the key's material.");
      const { KeyId: old } = await describe();
      const { Policy } = await call((abortSignal) => client.send(new GetKeyPolicyCommand({ KeyId: arnOf(old), PolicyName: "default" }), { abortSignal }));
      const { KeyMetadata } = await call((abortSignal) => client.send(new CreateKeyCommand({ Description: `${alias}, after ${old}`, ...(Policy === undefined ? {} : { Policy }) }), { abortSignal }));
      const id = KeyMetadata?.KeyId ?? fail(SecretsUnavailable, "KMS made a key and does not say which.");
      await call((abortSignal) => client.send(new UpdateAliasCommand({ AliasName: alias, TargetKeyId: id }), { abortSignal }));
      return id;
    },
    async check() {
      await describe();
    },
    close: () => client.destroy(),
  };
}

function contextOf({ purpose, org }: SecretContext): Record<string, string> {
  return { platform: "qinfra", purpose, ...(org === undefined ? {} : { org }) };
}

function idOf(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1).toLowerCase();
}

function kmsError(error: unknown, key: string): unknown {
  if (error instanceof DeclaredError) return error;
  if (error instanceof LeftAlone) return new DeclaredError(SecretsUnavailable, `KMS failed several times in a row and is left alone for some seconds: ${awsFailure(error.cause).what}.`);
  const name = awsErrorName(error);
  if (notThere.has(name)) return new DeclaredError(SecretsUnavailable, `KMS has no key ${key} in this region and account. Make it: aws kms create-key, then aws kms create-alias; or correct SECRETS_URL.`);
  if (switchedOff.has(name)) return new DeclaredError(SecretsUnavailable, `The KMS key ${key} cannot be used (${name}): it is switched off or waits for its deletion. Switch it on, or cancel the deletion.`);
  const { what, next } = awsFailure(error);
  return new DeclaredError(SecretsUnavailable, `KMS cannot be used: ${what}. ${next}`.trim());
}
