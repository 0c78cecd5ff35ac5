import { InputError } from "../../software/input-error.ts";
import { type Entry, type EntryKind, type FileTree, segmentsOf, tooLarge } from "../../software/parsers/file-tree.ts";
import type { AnswerEntry } from "./answer.ts";

interface Folder {
  kind: "directory";
  closed: boolean;
  children: Map<string, Node>;
}
type Node = Folder | Exclude<AnswerEntry, { kind: "closed" }>;

/**
 * The files that a host answered with as its root file system. What is closed there is refused here as a directory of
 * this machine would be. Where two entries contradict each other, the directory wins.
 */
export function answerTree(entries: ReadonlyMap<string, AnswerEntry>): FileTree {
  const root = folder();
  for (const [path, entry] of entries) {
    const segments = segmentsOf(path);
    const name = segments.pop();
    if (name === undefined) continue;
    const parent = folderAt(root, segments);
    if (entry.kind === "closed") folderAt(parent, [name]).closed = true;
    else if (parent.children.get(name)?.kind !== "directory") parent.children.set(name, entry);
  }

  const at = (path: string): Node | undefined => {
    let node: Node | undefined = root;
    for (const segment of segmentsOf(path)) {
      if (node?.kind !== "directory") return undefined;
      const next: Node | undefined = node.children.get(segment);
      if (next === undefined && node.closed) throw closed(path);
      node = next;
    }
    return node;
  };
  return {
    kindAt: async (path): Promise<EntryKind | undefined> => {
      const node = at(path);
      return node && entryKind(node);
    },
    linkTargetAt: async (path) => {
      const node = at(path);
      return node?.kind === "symlink" ? node.target : "";
    },
    readAt: async (path, limit) => {
      const node = at(path);
      if (node?.kind !== "file") throw closed(path);
      if (node.content.length > limit) throw tooLarge(path, limit);
      return node.content;
    },
    listAt: async (path): Promise<Entry[]> => {
      const node = at(path);
      if (node?.kind !== "directory") return [];
      if (node.closed) throw closed(path);
      return [...node.children].map(([name, child]) => ({ name, kind: entryKind(child) }));
    },
  };
}

function folder(): Folder {
  return { kind: "directory", closed: false, children: new Map() };
}

function folderAt(from: Folder, segments: readonly string[]): Folder {
  let here = from;
  for (const segment of segments) {
    const next = here.children.get(segment);
    if (next?.kind === "directory") {
      here = next;
      continue;
    }
    const made = folder();
    here.children.set(segment, made);
    here = made;
  }
  return here;
}

function entryKind({ kind }: Node): EntryKind {
  return kind === "directory" || kind === "symlink" ? kind : "file";
}

function closed(path: string): InputError {
  return new InputError("no-permission", "the user of the scan may not read this; scan as a user who may", { path });
}
