import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { homeFolder } from "../surfaces/cli/home.ts";
import type { Environment } from "../platform/config.ts";

/** The folder with package.json, whether this runs from src/ or bundled from dist/. */
export function packageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("this program is not where it was installed: there is no package.json above it");
    folder = parent;
  }
  return folder;
}

export function version(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8")) as { version: string }).version;
}

/** A checkout keeps its platform in itself, so that each clone is its own and goes with its folder. */
export function defaultDataDir(env: Environment): string {
  const root = packageRoot();
  return existsSync(join(root, ".git")) ? join(root, ".qinfra") : join(homeFolder(env), "data");
}
