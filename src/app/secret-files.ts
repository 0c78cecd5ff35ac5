import { readFileSync, statSync } from "node:fs";
import { ConfigError, type Environment } from "../platform/config.ts";
import { settings, type Setting } from "../platform/settings.ts";

const mostBytes = 64 * 1024;

/**
 * Settings that hold a secret may lie in files, as containers and service managers hand them out: DATABASE_URL_FILE
 * names the file with the value of DATABASE_URL. Answers the settings read. Errors: ConfigError.
 */
export function readSecretFiles(env: Environment): Record<string, string> {
  const faults: string[] = [];
  const read: Record<string, string> = {};
  for (const [name, { secret }] of Object.entries(settings) as [string, Setting][]) {
    const path = env[`${name}_FILE`];
    // What is declared as a setting of its own, as VAULT_TOKEN_FILE is, is read by whoever declared it.
    if (secret !== true || path === undefined || path === "" || Object.hasOwn(settings, `${name}_FILE`)) continue;
    const value = env[name] === undefined || env[name] === "" ? textOf(name, path, faults) : void faults.push(`${name} and ${name}_FILE: give one of them.`);
    if (value !== undefined) read[name] = value;
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return read;
}

function textOf(name: string, path: string, faults: string[]): string | undefined {
  try {
    if (statSync(path).size > mostBytes) return void faults.push(`${name}_FILE: ${path} is larger than ${mostBytes} bytes; it must hold the value of ${name} alone.`);
    const text = readFileSync(path, "utf8").trim();
    if (text !== "") return text;
    faults.push(`${name}_FILE: ${path} is empty; it must hold the value of ${name}.`);
  } catch (error) {
    faults.push(`${name}_FILE: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"}). Name a file that the user that runs the platform may read.`);
  }
  return undefined;
}
