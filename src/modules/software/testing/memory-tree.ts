import { createLayerTree, type LayerTree } from "../parsers/layer-tree.ts";
import type { TarEntry } from "../parsers/tar-entries.ts";
import type { LayerFile } from "./image-fixture.ts";

const limits = { fileBytes: 1024, keptBytes: 8192, entries: 100 };

/** The tree that these layers make, each a list of files; a name that ends in `/` is a directory. */
export async function memoryTree(
  layers: readonly Readonly<Record<string, LayerFile>>[],
  needed: (path: string) => "content" | "presence" | undefined = () => "content",
): Promise<LayerTree> {
  const tree = createLayerTree(needed, limits);
  for (const layer of layers) await tree.addLayer(entriesOf(layer));
  return tree;
}

async function* entriesOf(files: Readonly<Record<string, LayerFile>>): AsyncGenerator<TarEntry> {
  for (const [name, file] of Object.entries(files)) {
    const content = Buffer.from(typeof file === "string" ? file : "");
    const [type, linkName] =
      typeof file !== "string" ? ("symlink" in file ? (["symlink", file.symlink] as const) : (["link", file.hardlink] as const))
      : name.endsWith("/") ? (["directory", ""] as const)
      : (["file", ""] as const);
    yield { name, type, linkName, size: content.length, offset: 0, chunks: (async function* () { yield content; })() };
  }
}
