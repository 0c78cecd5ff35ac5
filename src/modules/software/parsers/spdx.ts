import type { Component, OperatingSystem, ParsedSoftware } from "../component.ts";
import { InputError } from "../input-error.ts";
import { onlySystem } from "./cyclonedx.ts";
import { isObject, listAt, objectAt, textAt } from "./json-shape.ts";
import type { JsonObject } from "./json-text.ts";
import { checkCount } from "./sbom-limits.ts";
import { completedPurl } from "./sbom-purl.ts";

/** Purposes of a package (SPDX 2.3, 7.24) that is no software of its own, unless it has a purl. */
const noPackage = new Set(["OPERATING-SYSTEM", "OPERATING_SYSTEM", "FILE", "CONTAINER"]);

/**
 * Reads an SPDX 2.2 or 2.3 document (JSON): its `packages`; `files` are no packages. Of a package with several
 * purls, each is a component. Throws InputError with the JSON path for a wrong structure.
 */
export function parseSpdx(document: JsonObject, fallbackOs?: OperatingSystem): ParsedSoftware {
  const version = textAt(document, "spdxVersion", "$") ?? "";
  if (version !== "SPDX-2.2" && version !== "SPDX-2.3") {
    const what = `"${version.slice(0, 20)}" cannot be read; SPDX 2.2 and 2.3 as JSON can`;
    throw new InputError("unsupported-format", what, { jsonPath: "$.spdxVersion" });
  }
  const packages = listAt(document, "packages", "$").map((value, index) => packageIn(value, `$.packages[${index}]`));
  const systems = packages.flatMap(({ system }) => (system ? [system] : []));
  const os = systems.length === 0 ? fallbackOs : onlySystem(systems);
  const components: Component[] = [];
  for (const [index, item] of packages.entries()) {
    components.push(...componentsOf(item, os));
    checkCount(components.length, `$.packages[${index}]`);
  }
  return { ...(os && { os }), components };
}

interface Package {
  name: string;
  version: string | undefined;
  purls: readonly string[];
  source: { name: string; version?: string } | undefined;
  system: OperatingSystem | undefined;
  isSoftware: boolean;
}

function packageIn(value: unknown, jsonPath: string): Package {
  const item = objectAt(value, jsonPath);
  const name = textAt(item, "name", jsonPath);
  if (name === undefined) throw new InputError("wrong-structure", "this package has no name", { jsonPath });
  const version = stated(textAt(item, "versionInfo", jsonPath));
  // SPDX 2.2 has no purpose; the id says it there.
  const isSystem = /^OPERATING[-_]SYSTEM$/.test(purposeOf(item)) || String(item["SPDXID"]).startsWith("SPDXRef-OperatingSystem-");
  return {
    name,
    version,
    purls: purlsIn(item, jsonPath),
    source: sourceIn(item),
    system: isSystem ? { id: name.toLowerCase(), versionId: version ?? "" } : undefined,
    isSoftware: !isSystem && !noPackage.has(purposeOf(item)),
  };
}

function purposeOf(item: JsonObject): string {
  return String(item["primaryPackagePurpose"] ?? "").toUpperCase();
}

function stated(text: string | undefined): string | undefined {
  return text === "NOASSERTION" || text === "NONE" ? undefined : text;
}

function purlsIn(item: JsonObject, jsonPath: string): string[] {
  const purls = new Set<string>();
  for (const [index, value] of listAt(item, "externalRefs", jsonPath).entries()) {
    const path = `${jsonPath}.externalRefs[${index}]`;
    const reference = objectAt(value, path);
    if (reference["referenceType"] !== "purl") continue;
    const purl = stated(textAt(reference, "referenceLocator", path));
    if (purl !== undefined) purls.add(purl);
  }
  return [...purls];
}

/** `built package from: NAME VERSION`, as trivy writes the source package. */
function sourceIn(item: JsonObject): { name: string; version?: string } | undefined {
  const info = item["sourceInfo"];
  const match = typeof info === "string" ? /^built package from: (\S+)(?: (\S+))?$/.exec(info) : null;
  if (!match?.[1]) return undefined;
  return { name: match[1], ...(match[2] !== undefined && { version: match[2] }) };
}

function componentsOf(item: Package, os: OperatingSystem | undefined): Component[] {
  const component: Component = { name: item.name, ...(item.version !== undefined && { version: item.version }) };
  if (item.purls.length === 0) return item.isSoftware ? [component] : [];
  return item.purls.map((purl) => ({ ...component, purl: completedPurl(purl, { os, source: item.source }) }));
}

export function isSpdx(value: unknown): value is JsonObject {
  return isObject(value) && typeof value["spdxVersion"] === "string";
}
