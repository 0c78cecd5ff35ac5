import { PackageURL } from "packageurl-js";
import type { Component } from "./component.ts";

/** A purl in its parts, decoded. `namespace` keeps its slashes. */
export interface Purl {
  type: string;
  namespace?: string;
  name: string;
  version?: string;
  qualifiers: Readonly<Record<string, string>>;
}

/** A purl that cannot be read; matching counts it as "could not match". */
export interface MalformedPurl {
  malformed: string;
}

/** What matching needs to know of a component. */
export interface Coordinates {
  type: string;
  namespace?: string;
  name: string;
  /** With its epoch. */
  version?: string;
  /** As given, for example `debian-12` or `debian-12.15`. */
  distro?: string;
  arch?: string;
  /** The source package that a binary package was built from, where the purl names it. */
  upstream?: { name: string; version?: string };
}

/** Types whose parts are taken as written: the library refuses some Go versions, and npm has names in capitals. */
const takenAsWritten = new Set(["golang", "npm"]);

/** Distribution packages, whose purls say `distro` and `upstream`. */
export const distributionTypes: ReadonlySet<string> = new Set(["apk", "deb", "rpm"]);

/**
 * Reads a purl (ECMA-427). A `+` is accepted as it is and percent-encoded, in every part. Qualifiers are read here:
 * the library takes them as a web form, where a plain `+` would be a space and an encoded `%` an error.
 */
export function parsePurl(text: string): Purl | MalformedPurl {
  const [beforeSubpath] = splitLast(text, "#");
  const [path, query] = splitLast(beforeSubpath, "?");
  try {
    const [type, namespace, name, version] = PackageURL.parseString(path);
    const lowerType = type?.toLowerCase() ?? "";
    if (!name) return { malformed: "it has no name" };
    const qualifiers = qualifiersIn(query);
    if (takenAsWritten.has(lowerType)) return purlOf(lowerType, namespace, name, version, qualifiers);
    const read = new PackageURL(lowerType, namespace, name, version, qualifiers, undefined);
    return purlOf(read.type, read.namespace, read.name, read.version, qualifiers);
  } catch (error) {
    return { malformed: error instanceof Error ? error.message.replace(/^Invalid purl: /, "") : String(error) };
  }
}

function splitLast(text: string, mark: string): [before: string, after: string] {
  const at = text.lastIndexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function qualifiersIn(query: string): Record<string, string> {
  const qualifiers: Record<string, string> = {};
  for (const pair of query.split("&")) {
    const at = pair.indexOf("=");
    if (at <= 0 || at === pair.length - 1) continue;
    qualifiers[pair.slice(0, at).toLowerCase()] = decodeURIComponent(pair.slice(at + 1));
  }
  return qualifiers;
}

type Maybe = string | null | undefined;

function purlOf(type: string, namespace: Maybe, name: string, version: Maybe, qualifiers: Purl["qualifiers"]): Purl {
  const segments = (namespace ?? "").split("/").filter((segment) => segment !== "");
  return {
    type,
    ...(segments.length > 0 && { namespace: segments.join("/") }),
    name,
    ...(version && { version }),
    qualifiers,
  };
}

/**
 * Writes a purl in its canonical form: everything but letters, digits and `.-_~:` is percent-encoded, qualifiers are
 * sorted by key (ECMA-427).
 */
export function formatPurl(purl: Omit<Purl, "qualifiers"> & { qualifiers?: Record<string, string | undefined> }): string {
  const namespace = purl.namespace ? `${purl.namespace.split("/").map(encode).join("/")}/` : "";
  const version = purl.version ? `@${encode(purl.version)}` : "";
  const qualifiers = Object.entries(purl.qualifiers ?? {})
    .flatMap(([key, value]) => (value ? [`${key}=${encode(value)}`] : []))
    .sort();
  const query = qualifiers.length > 0 ? `?${qualifiers.join("&")}` : "";
  return `pkg:${purl.type}/${namespace}${encode(purl.name)}${version}${query}`;
}

const unreserved = /^[A-Za-z0-9.\-_~:]*$/;

function encode(text: string): string {
  if (unreserved.test(text)) return text;
  // A lone surrogate has no UTF-8 form, and encodeURIComponent throws for it.
  return encodeURIComponent(text.toWellFormed())
    .replaceAll("%3A", ":")
    .replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** `NAME[@VERSION]`, the value of the qualifier `upstream`. */
export function formatUpstream(name: string, version?: string): string {
  return version ? `${name}@${version}` : name;
}

/** What a component's purl says for matching; undefined where it has none. */
export function coordinatesOf(component: Component): Coordinates | MalformedPurl | undefined {
  if (component.purl === undefined) return undefined;
  const purl = parsePurl(component.purl);
  if ("malformed" in purl) return purl;
  const { distro, arch, upstream } = purl.qualifiers;
  const version = versionWithEpoch(purl) ?? component.version;
  return {
    type: purl.type,
    ...(purl.namespace !== undefined && { namespace: purl.namespace }),
    name: purl.name,
    ...(version !== undefined && { version }),
    ...(distro !== undefined && { distro }),
    ...(arch !== undefined && { arch }),
    ...(upstream !== undefined && { upstream: parseUpstream(upstream) }),
  };
}

/** Some tools write the epoch of a deb, and all that of an rpm, as a qualifier beside the version. */
function versionWithEpoch({ type, version, qualifiers }: Purl): string | undefined {
  const epoch = qualifiers["epoch"];
  if (version === undefined || epoch === undefined || !/^\d+$/.test(epoch)) return version;
  if ((type !== "deb" && type !== "rpm") || /^\d+:/.test(version)) return version;
  return `${epoch}:${version}`;
}

function parseUpstream(text: string): { name: string; version?: string } {
  const at = text.indexOf("@");
  if (at <= 0) return { name: text };
  const version = text.slice(at + 1);
  return { name: text.slice(0, at), ...(version !== "" && { version }) };
}
