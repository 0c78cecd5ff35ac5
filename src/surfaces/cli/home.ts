import { mkdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { CliError } from "./errors.ts";
import type { CliIo } from "./io.ts";

type Env = CliIo["env"];

/** The folder of this user's login and advisory cache: `QINFRA_HOME`, else `~/.qinfra`. */
export function homeFolder(env: Env): string {
  const chosen = env["QINFRA_HOME"];
  if (chosen !== undefined && chosen !== "") return resolve(chosen);
  return join(env["HOME"] ?? homedir(), ".qinfra");
}

export function advisoryFolder(env: Env): string {
  return join(homeFolder(env), "advisories");
}

/** Makes a folder that is closed to others, or refuses one in which others may put things. */
export async function makePrivateFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new CliError(`The folder ${folder} cannot be made (${codeOf(error)}).`, { next: "set QINFRA_HOME to a folder that you may write", cause: error });
  }
  const { mode } = await stat(folder);
  if ((mode & 0o022) !== 0) throw new CliError(`Others may write in ${folder}.`, { next: `run: chmod 700 ${folder}` });
}

export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : error instanceof Error ? error.message : String(error);
}
