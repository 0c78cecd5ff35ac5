import type { Readable } from "node:stream";
import type { OperatingSystem } from "./component.ts";
import { InputError, namingContainer, namingFile } from "./input-error.ts";
import { openDirectoryTree } from "./parsers/directory-tree.ts";
import { parseDpkgStatus } from "./parsers/dpkg-status.ts";
import type { ParsedInput } from "./parsers/notes.ts";
import { type ImageFacts, parseOciLayout } from "./parsers/oci-layout.ts";
import { inputName, readInput } from "./parsers/read-input.ts";
import { parseRootfs } from "./parsers/rootfs.ts";
import { sbomLimits } from "./parsers/sbom-limits.ts";
import { parseSbom } from "./parsers/sbom.ts";

export type SoftwareInput =
  /** A file, gzipped or not; `-` is standard input. A dpkg status file does not say which system it is from. */
  | { kind: "dpkg-status"; path: string; os: OperatingSystem }
  /** `os` stands in where the document names no operating system. */
  | { kind: "sbom"; path: string; os?: OperatingSystem }
  /** A directory; `os` instead of what its os-release says. */
  | { kind: "rootfs"; path: string; os?: OperatingSystem }
  /** An OCI layout or `docker save` archive, directory or file. */
  | { kind: "oci-layout"; path: string; os?: OperatingSystem; platform?: string; image?: string }
  /** The machine that this runs on. */
  | { kind: "host" };

export type SoftwareOfInput = ParsedInput & { image?: ImageFacts };

const dpkgStatusLimit = 64 * 1024 * 1024;

/** Reads an operating system into its components. Throws InputError, naming the input, for one that cannot be read whole. */
export async function parseInput(input: SoftwareInput, options: { stdin?: Readable } = {}): Promise<SoftwareOfInput> {
  switch (input.kind) {
    case "dpkg-status":
      return dpkgStatus(input, options);
    case "sbom":
      return sbom(input, options);
    case "rootfs":
      return namingContainer(input.path, async () => parseRootfs(await openDirectoryTree(input.path), { ...withSystem(input), scope: "image" }));
    case "oci-layout": {
      const { kind: _, path, ...choice } = input;
      return parseOciLayout(path, { ...choice, ...options });
    }
    case "host":
      return namingContainer("/", async () => parseRootfs(await openDirectoryTree("/"), { scope: "machine" }));
  }
}

async function dpkgStatus({ path, os }: { path: string; os?: OperatingSystem }, options: { stdin?: Readable }): Promise<ParsedInput> {
  if (os === undefined) {
    const what = "a dpkg status file does not say which system it is from; give it with --os, for example --os debian:12";
    throw new InputError("os-required", what, { path: inputName(path) });
  }
  const content = await readInput(path, { ...options, limit: dpkgStatusLimit });
  const components = await namingFile(inputName(path), () => parseDpkgStatus(content.toString("utf8"), os));
  return { os, components, notes: [] };
}

async function sbom({ path, os }: { path: string; os?: OperatingSystem }, options: { stdin?: Readable }): Promise<ParsedInput> {
  const content = await readInput(path, { ...options, limit: sbomLimits.bytes });
  const parsed = await namingFile(inputName(path), () => parseSbom(content, os));
  return { ...parsed, notes: [] };
}

function withSystem({ os }: { os?: OperatingSystem }): { os?: OperatingSystem } {
  return os ? { os } : {};
}
