import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { processToken } from "./process-identity.ts";

/** An empty folder beside `target` to build it in; named after this process, so that what a dead one left is known. */
export function stagingFolder(target: string, mode: number): string {
  sweepStaging(target);
  const folder = `${target}.new-${processToken(process.pid)}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode });
  return folder;
}

function sweepStaging(target: string): void {
  const prefix = `${basename(target)}.new-`;
  for (const name of readdirSync(dirname(target))) {
    if (!name.startsWith(prefix)) continue;
    const token = name.slice(prefix.length);
    if (processToken(Number(token.split("-")[0])) === token) continue;
    rmSync(join(dirname(target), name), { recursive: true, force: true });
  }
}
