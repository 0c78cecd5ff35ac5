import type { Component } from "../component.ts";
import { InputError } from "../input-error.ts";
import { formatPurl } from "../purl.ts";
import { isObject } from "./json-shape.ts";
import { parseJson } from "./json-text.ts";

const npmFile = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@][^/]*\/package\.json$/;
const pythonFile = /(?:\.dist-info\/METADATA|\.egg-info(?:\/PKG-INFO)?)$/;

/** Whether a path is the metadata of an installed npm or Python package. */
export function isLanguageFile(path: string): boolean {
  const end = path.charCodeAt(path.length - 1);
  // Hundreds of thousands of paths are asked about: all but these ends (n, A, O, o) are out at once.
  if (end !== 0x6e && end !== 0x41 && end !== 0x4f && end !== 0x6f) return false;
  return npmFile.test(path) || pythonFile.test(path);
}

/** Bytes that the metadata of one package may have. */
export const languageFileLimit = 4 * 1024 * 1024;

/** The package that such a file describes; undefined where it names none. Throws InputError for a file that is none. */
export function languageComponent(path: string, content: Buffer): Component | undefined {
  return npmFile.test(path) ? npmComponent(content.toString("utf8")) : pythonComponent(content.toString("utf8"));
}

/** A folder of node_modules without name and version is no package (https://docs.npmjs.com/cli/configuring-npm/package-json). */
function npmComponent(text: string): Component | undefined {
  const content = parseJson(text.replace(/^\uFEFF/, ""), { depth: 100, values: 500_000 });
  if (!isObject(content)) throw new InputError("wrong-structure", "package.json is no JSON object");
  const { name, version } = content;
  if (typeof name !== "string" || typeof version !== "string" || version === "") return undefined;
  const match = /^(?:(@[^/]+)\/)?([^/]+)$/.exec(name);
  if (!match?.[2]) return undefined;
  const namespace = match[1] === undefined ? {} : { namespace: match[1] };
  return { name, version, purl: formatPurl({ type: "npm", ...namespace, name: match[2], version }) };
}

/** Core metadata (packaging.python.org): headers up to an empty line; the name as PEP 503 normalises it. */
function pythonComponent(text: string): Component | undefined {
  const [head = ""] = text.split(/\r?\n\r?\n/, 1);
  const name = /^Name:[ \t]*(\S+)[ \t]*\r?$/im.exec(head)?.[1];
  const version = /^Version:[ \t]*(\S+)[ \t]*\r?$/im.exec(head)?.[1];
  if (name === undefined) throw new InputError("wrong-structure", "the metadata of this Python package has no Name");
  const purlName = name.toLowerCase().replace(/[-_.]+/g, "-");
  return {
    name,
    ...(version !== undefined && { version }),
    purl: formatPurl({ type: "pypi", name: purlName, ...(version !== undefined && { version }) }),
  };
}
