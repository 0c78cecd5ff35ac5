import { InputError } from "../input-error.ts";
import { type Entry, type EntryKind, type FileTree, segmentsOf, tooLarge } from "./file-tree.ts";
import { entryContent, type TarEntry } from "./tar-entries.ts";

interface DirectoryNode {
  kind: "directory";
  layer: number;
  children: Map<string, Node>;
}

type Node =
  | DirectoryNode
  | { kind: "symlink"; layer: number; target: string }
  /** Without content where the file is there but was not kept. */
  | { kind: "file"; layer: number; content: Buffer | undefined };

export interface LayerLimits {
  /** Bytes of one kept file, and of all of them together. */
  fileBytes: number;
  keptBytes: number;
  /** Entries of all layers together. */
  entries: number;
}

export interface LayerTree extends FileTree {
  /** Lays one layer over those before it. */
  addLayer(entries: AsyncIterable<TarEntry>): Promise<void>;
  /** Hard links to files that were not kept. */
  lostLinks(): readonly string[];
}

const whiteout = ".wh.";
const opaque = ".wh..wh..opq";
const maxLinks = 40;
const maxPath = 4096;

/**
 * The file system that layers make when laid one over another (OCI image specification, "Image Layer Filesystem
 * Changeset"): a later entry replaces an earlier one, `.wh.NAME` removes NAME of the layers below, `.wh..wh..opq`
 * all of the directory's content of the layers below. Only directories, links, and the files that `needed` names
 * are kept.
 */
export function createLayerTree(needed: (path: string) => "content" | "presence" | undefined, limits: LayerLimits): LayerTree {
  const root: DirectoryNode = { kind: "directory", layer: 0, children: new Map() };
  const lost: string[] = [];
  let layer = 0;
  let entries = 0;
  let bytes = 0;

  async function add(entry: TarEntry): Promise<void> {
    const segments = segmentsOf(entry.name);
    const name = segments.pop();
    if (entry.name.length > maxPath) throw new InputError("malformed", `a path in the layer is longer than ${maxPath}`);
    if (segments.includes("..") || name === "..") {
      throw new InputError("malformed", "a path in the layer leads out of it", { path: entry.name });
    }
    if (name === undefined) return;
    if (name.startsWith(whiteout)) {
      const parent = directoryAt(root, segments, undefined);
      if (name === opaque) parent?.children.forEach((_, child) => prune(parent, child, layer));
      else if (parent) prune(parent, name.slice(whiteout.length), layer);
      return;
    }
    const node = await nodeOf(entry, [...segments, name].join("/"));
    const keep = node !== undefined;
    const parent = directoryAt(root, segments, keep ? layer : undefined);
    const before = parent?.children.get(name);
    if (entry.type === "directory") {
      if (before?.kind === "directory") before.layer = layer;
      else if (before) parent?.children.set(name, { kind: "directory", layer, children: new Map() });
    } else if (node) parent?.children.set(name, node);
    else parent?.children.delete(name);
  }

  async function nodeOf(entry: TarEntry, path: string): Promise<Node | undefined> {
    if (entry.type === "symlink") return { kind: "symlink", layer, target: entry.linkName };
    const need = needed(path);
    if (need === undefined) return undefined;
    if (entry.type === "link") {
      const target = segmentsOf(entry.linkName);
      const last = target.pop() ?? "";
      const linked = directoryAt(root, target, undefined)?.children.get(last);
      if (linked?.kind !== "file" || (need === "content" && linked.content === undefined)) lost.push(path);
      return linked?.kind === "file" ? { ...linked, layer } : undefined;
    }
    if (entry.type !== "file" && entry.type !== "contiguous-file") return undefined;
    if (need === "presence") return { kind: "file", layer, content: undefined };
    const content = await entryContent(entry, limits.fileBytes);
    bytes += content.length;
    if (bytes > limits.keptBytes) throw tooLarge("the package metadata in the image", limits.keptBytes);
    return { kind: "file", layer, content };
  }

  return {
    async addLayer(list) {
      layer += 1;
      for await (const entry of list) {
        entries += 1;
        if (entries > limits.entries) throw new InputError("too-large", `the image has more than ${limits.entries} files`);
        await add(entry);
      }
    },
    lostLinks: () => lost,
    ...treeOver(root),
  };
}

/**
 * The directory that a path names, links followed within the root as the runtimes do when they unpack a layer.
 * With `create`, what is missing is made as belonging to that layer, and what is no directory is replaced.
 */
function directoryAt(root: DirectoryNode, segments: readonly string[], create: number | undefined): DirectoryNode | undefined {
  const rest = [...segments].reverse();
  const path: DirectoryNode[] = [root];
  for (let links = 0; rest.length > 0; ) {
    const segment = rest.pop() ?? "";
    const here = path.at(-1) ?? root;
    if (segment === "..") {
      if (path.length > 1) path.pop();
      continue;
    }
    const next = here.children.get(segment);
    if (next?.kind === "directory") {
      path.push(next);
    } else if (next?.kind === "symlink" && links < maxLinks) {
      links += 1;
      if (next.target.startsWith("/")) path.length = 1;
      rest.push(...segmentsOf(next.target).reverse());
    } else if (create !== undefined) {
      const made: DirectoryNode = { kind: "directory", layer: create, children: new Map() };
      here.children.set(segment, made);
      path.push(made);
    } else {
      return undefined;
    }
  }
  return path.at(-1);
}

/** Removes what layers below `layer` put there; an entry may stand before the whiteout of its own layer. */
function prune(parent: DirectoryNode, name: string, layer: number): void {
  const node = parent.children.get(name);
  if (!node) return;
  if (node.kind === "directory") {
    for (const child of node.children.keys()) prune(node, child, layer);
    if (node.children.size > 0) return;
  }
  if (node.layer < layer) parent.children.delete(name);
}

function treeOver(root: DirectoryNode): FileTree {
  const at = (path: string): Node | undefined => {
    let node: Node | undefined = root;
    for (const segment of segmentsOf(path)) node = node?.kind === "directory" ? node.children.get(segment) : undefined;
    return node;
  };
  return {
    kindAt: async (path): Promise<EntryKind | undefined> => at(path)?.kind,
    linkTargetAt: async (path) => {
      const node = at(path);
      return node?.kind === "symlink" ? node.target : "";
    },
    readAt: async (path, limit) => {
      const node = at(path);
      if (node?.kind !== "file" || !node.content) throw new InputError("cannot-read", "the file was not kept", { path });
      if (node.content.length > limit) throw tooLarge(path, limit);
      return node.content;
    },
    listAt: async (path): Promise<Entry[]> => {
      const node = at(path);
      return node?.kind === "directory" ? [...node.children].map(([name, { kind }]) => ({ name, kind })) : [];
    },
  };
}
