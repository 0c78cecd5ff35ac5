import type { Component, OperatingSystem, ParsedSoftware } from "../component.ts";
import { InputError } from "../input-error.ts";
import { isObject, listAt, objectAt, textAt } from "./json-shape.ts";
import type { JsonObject } from "./json-text.ts";
import { checkCount, sbomLimits } from "./sbom-limits.ts";
import { completedPurl } from "./sbom-purl.ts";

const versions = new Set(["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"]);

/**
 * What is no package, unless it has a purl: the operating system is reported as such, and files, data and
 * cryptographic assets have no version that an advisory could name.
 */
const noPackage = new Set(["operating-system", "file", "data", "cryptographic-asset"]);

/**
 * Reads a CycloneDX document (ECMA-424, JSON, 1.2 to 1.7). `components` and what is nested in them, also under
 * `metadata.component`, are read; `metadata.component` itself is what the document is about, not a part of it.
 * Throws InputError with the JSON path for a wrong structure.
 */
export function parseCycloneDx(document: JsonObject, fallbackOs?: OperatingSystem): ParsedSoftware {
  const version = textAt(document, "specVersion", "$");
  if (version === undefined || !versions.has(version)) {
    const what = version === undefined ? "a CycloneDX document without a version" : `CycloneDX ${version.slice(0, 20)}`;
    throw new InputError("unsupported-format", `${what} cannot be read; CycloneDX JSON 1.2 to 1.7 can`, { jsonPath: "$.specVersion" });
  }
  const found: Found[] = [];
  const systems: OperatingSystem[] = [];
  const subject = subjectOf(document);
  if (subject) {
    addSystem(subject, "$.metadata.component", systems);
    collect(subject, "$.metadata.component", 1, found, systems);
  }
  collect(document, "$", 1, found, systems);
  const os = systems.length === 0 ? fallbackOs : onlySystem(systems);
  return { ...(os && { os }), components: found.map((item) => componentOf(item, os)) };
}

interface Found {
  name: string;
  version: string | undefined;
  purl: string | undefined;
  source: { name: string; version?: string } | undefined;
}

function subjectOf(document: JsonObject): JsonObject | undefined {
  const metadata = document["metadata"];
  if (metadata === undefined || metadata === null) return undefined;
  const subject = objectAt(metadata, "$.metadata")["component"];
  return subject === undefined || subject === null ? undefined : objectAt(subject, "$.metadata.component");
}

function collect(parent: JsonObject, parentPath: string, depth: number, found: Found[], systems: OperatingSystem[]): void {
  const list = listAt(parent, "components", parentPath);
  if (list.length > 0 && depth > sbomLimits.depth) {
    const what = `components are nested deeper than ${sbomLimits.depth}`;
    throw new InputError("too-large", what, { jsonPath: `${parentPath}.components` });
  }
  for (const [index, value] of list.entries()) {
    const jsonPath = `${parentPath}.components[${index}]`;
    const item = objectAt(value, jsonPath);
    const type = textAt(item, "type", jsonPath) ?? "";
    const purl = textAt(item, "purl", jsonPath);
    if (type === "operating-system") addSystem(item, jsonPath, systems);
    if (purl !== undefined || !noPackage.has(type)) found.push(foundIn(item, purl, jsonPath));
    checkCount(found.length, jsonPath);
    collect(item, jsonPath, depth + 1, found, systems);
  }
}

function foundIn(item: JsonObject, purl: string | undefined, jsonPath: string): Found {
  const name = textAt(item, "name", jsonPath);
  if (name === undefined) throw new InputError("wrong-structure", "this component has no name", { jsonPath });
  const group = textAt(item, "group", jsonPath);
  return {
    name: group === undefined || name.startsWith(`${group}/`) ? name : `${group}/${name}`,
    version: textAt(item, "version", jsonPath),
    purl,
    source: purl === undefined ? undefined : sourceIn(propertiesOf(item, jsonPath)),
  };
}

function componentOf({ name, version, purl, source }: Found, os: OperatingSystem | undefined): Component {
  return {
    name,
    ...(version !== undefined && { version }),
    ...(purl !== undefined && { purl: completedPurl(purl, { os, source }) }),
  };
}

function propertiesOf(item: JsonObject, jsonPath: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  for (const [index, value] of listAt(item, "properties", jsonPath).entries()) {
    const path = `${jsonPath}.properties[${index}]`;
    const property = objectAt(value, path);
    const [name, text] = [property["name"], property["value"]];
    if (typeof name === "string" && typeof text === "string" && !properties.has(name)) properties.set(name, text);
  }
  return properties;
}

/** The source package as trivy (name, version, release, epoch apart) and syft write it into properties. */
function sourceIn(properties: ReadonlyMap<string, string>): { name: string; version?: string } | undefined {
  const name = properties.get("aquasecurity:trivy:SrcName");
  if (name) {
    const [version, release, epoch] = ["SrcVersion", "SrcRelease", "SrcEpoch"].map((key) => properties.get(`aquasecurity:trivy:${key}`));
    if (!version) return { name };
    return { name, version: `${epoch && epoch !== "0" ? `${epoch}:` : ""}${version}${release ? `-${release}` : ""}` };
  }
  const source = properties.get("syft:metadata:source") ?? properties.get("syft:metadata:originPackage");
  if (!source) return undefined;
  const version = properties.get("syft:metadata:sourceVersion");
  return { name: source, ...(version && { version }) };
}

function addSystem(item: JsonObject, jsonPath: string, systems: OperatingSystem[]): void {
  if (textAt(item, "type", jsonPath) !== "operating-system") return;
  const properties = propertiesOf(item, jsonPath);
  const id = properties.get("syft:distro:id") ?? textAt(item, "name", jsonPath);
  const prettyName = properties.get("syft:distro:prettyName");
  if (id === undefined) return;
  systems.push({
    id: id.toLowerCase(),
    versionId: properties.get("syft:distro:versionID") ?? textAt(item, "version", jsonPath) ?? "",
    ...(prettyName !== undefined && { prettyName }),
  });
}

/** A document about several systems says of no package which of them it belongs to. */
export function onlySystem(systems: readonly OperatingSystem[]): OperatingSystem | undefined {
  const [first] = systems;
  return first && systems.every(({ id, versionId }) => id === first.id && versionId === first.versionId) ? first : undefined;
}

export function isCycloneDx(value: unknown): value is JsonObject {
  return isObject(value) && value["bomFormat"] === "CycloneDX";
}
