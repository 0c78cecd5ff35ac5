export type { FileSecretsOptions } from "./file-secrets.ts";
export { openSecrets, SecretsUrlInvalid } from "./secrets-url.ts";
export { EnvelopeInvalid, KeyFileMissing, KeyFileUnusable, UnknownKey } from "./types.ts";
export type { Random, SecretContext, Secrets, Signer, Verifier } from "./types.ts";
