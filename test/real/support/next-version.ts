import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./platform.ts";

/** What is built here as a later version would be installed, whose only change is these migrations. */
export async function nextVersion(folder: string, migrations: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(folder);
  for (const part of ["dist", "migrations", "policies", "package.json"]) await cp(join(root, part), join(folder, part), { recursive: true });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  for (const [name, text] of Object.entries(migrations)) await writeFile(join(folder, "migrations", name), text);
  return folder;
}
