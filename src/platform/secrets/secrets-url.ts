import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { errorType, fail } from "../errors.ts";
import { openFileSecrets, type FileSecretsOptions } from "./file-secrets.ts";
import type { Secrets } from "./types.ts";

export const SecretsUrlInvalid = errorType("secrets-url-invalid", 400, "SECRETS_URL cannot be used");

/** Opens the adapter that the scheme of SECRETS_URL names: `file:///absolute/folder` or `file:folder`, relative to `baseFolder`. */
export async function openSecrets(url: string, baseFolder: string, options: Omit<FileSecretsOptions, "folder">): Promise<Secrets> {
  return openFileSecrets({ ...options, folder: folderOf(url, baseFolder) });
}

function folderOf(url: string, baseFolder: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/.exec(url)?.[0];
  if (scheme !== "file") {
    // The rest of the URL may hold a token, so only its scheme is said.
    fail(SecretsUrlInvalid, `SECRETS_URL has ${scheme === undefined ? "no scheme" : `the scheme ${scheme}:, which is not supported`}. Set it to file:FOLDER.`);
  }
  if (url === "file:") fail(SecretsUrlInvalid, "SECRETS_URL names no folder. Set it to file:FOLDER.");
  if (!url.startsWith("file://")) return resolve(baseFolder, url.slice("file:".length));
  const host = /^file:\/\/([^/]*)/.exec(url)?.[1] ?? "";
  if (host !== "" && host !== "localhost") fail(SecretsUrlInvalid, `SECRETS_URL names the host ${host}; a folder of this machine has three slashes: file:///FOLDER.`);
  return fileURLToPath(url);
}
