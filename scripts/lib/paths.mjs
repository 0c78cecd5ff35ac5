import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Holds what a checkout makes at run time; not in git. */
export const localFolder = join(root, ".qinfra");
