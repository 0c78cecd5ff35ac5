import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { fail, type ErrorType } from "./errors.ts";

/**
 * The folder that a port's setting names: `file:///ABSOLUTE`, or `file:FOLDER` relative to `baseFolder`.
 * Errors: `error`, which says of the value only its scheme, because the rest may hold a token.
 */
export function folderOfUrl(setting: string, url: string, baseFolder: string, error: ErrorType): string {
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/.exec(url)?.[0];
  if (scheme !== "file") {
    fail(error, `${setting} has ${scheme === undefined ? "no scheme" : `the scheme ${scheme}:, which is not supported`}. Set it to file:FOLDER.`);
  }
  if (/^file:\/*$/.test(url)) fail(error, `${setting} names no folder. Set it to file:FOLDER.`);
  if (!url.startsWith("file://")) return resolve(baseFolder, url.slice("file:".length));
  const host = /^file:\/\/([^/]*)/.exec(url)?.[1] ?? "";
  if (host !== "" && host !== "localhost") fail(error, `${setting} names the host ${host}; a folder of this machine has three slashes: file:///FOLDER.`);
  return fileURLToPath(url);
}
