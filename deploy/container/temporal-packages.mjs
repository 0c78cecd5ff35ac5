import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/lib/paths.mjs";

const wanted = ["@temporalio/activity", "@temporalio/client", "@temporalio/worker"].map((name) => `node_modules/${name}`);

/** Folders of Temporal's SDK and of all that it asks for, as package-lock.json has them, and as they are installed here. */
export function temporalPackages() {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const found = new Set();
  for (const open = [...wanted]; open.length > 0; ) {
    const path = open.pop();
    if (found.has(path) || !existsSync(join(root, path))) continue;
    found.add(path);
    for (const name of Object.keys({ ...packages[path].dependencies, ...packages[path].optionalDependencies })) {
      const at = placeOf(name, path, packages);
      if (at !== undefined) open.push(at);
    }
  }
  return [...found];
}

/** Where Node finds a package that the one at `from` asks for. */
function placeOf(name, from, packages) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")))) {
    const path = `${folder}${folder === "" ? "" : "/"}node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (folder === "") return undefined;
  }
}
