import { errorType } from "../errors.ts";
import { folderOfUrl } from "../file-url.ts";
import { openFileSecrets, type FileSecretsOptions } from "./file-secrets.ts";
import type { Secrets } from "./types.ts";

export const SecretsUrlInvalid = errorType("secrets-url-invalid", 400, "SECRETS_URL cannot be used");

/** Opens the adapter that the scheme of SECRETS_URL names. Errors: SecretsUrlInvalid and those of the adapter. */
export async function openSecrets(url: string, baseFolder: string, options: Omit<FileSecretsOptions, "folder">): Promise<Secrets> {
  return openFileSecrets({ ...options, folder: folderOfUrl("SECRETS_URL", url, baseFolder, SecretsUrlInvalid) });
}
