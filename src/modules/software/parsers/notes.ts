import type { ParsedSoftware } from "../component.ts";

/** What an input holds and could not be read, or where nobody looked: the caller counts it, so nothing looks clean that is not. */
export interface ParseNote {
  kind:
    /** A package database whose packages are not in `components`. */
    | "unread-package-database"
    /** There is no os-release and none was given: distribution packages have no purl. */
    | "no-operating-system"
    /** Neither a package database nor language packages were found. */
    | "no-packages"
    /** Directories in which nobody looked for language packages. */
    | "not-searched"
    /** Files of language packages that could not be read. */
    | "unreadable-file";
  /** A sentence for people. */
  what: string;
  /** The first path that it is about. */
  path?: string;
  count?: number;
}

export interface ParsedInput extends ParsedSoftware {
  notes: ParseNote[];
}
