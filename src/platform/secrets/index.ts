export { openSecrets, type SecretsOptions, type SecretsSettings } from "./secrets-url.ts";
export { EnvelopeInvalid, KeyFileMissing, KeyFileUnusable, SecretsUnavailable, SecretsUrlInvalid, UnknownKey } from "./types.ts";
export type { EnvelopeKind, OpenedSecrets, Random, SecretContext, Secrets, Signer, Verifier } from "./types.ts";
