import type { OperatingSystem, ParsedSoftware } from "../component.ts";
import { InputError } from "../input-error.ts";
import { isCycloneDx, parseCycloneDx } from "./cyclonedx.ts";
import { sizeText } from "./decompress.ts";
import { isObject } from "./json-shape.ts";
import { parseJson } from "./json-text.ts";
import { sbomLimits } from "./sbom-limits.ts";
import { isSpdx, parseSpdx } from "./spdx.ts";

const readable = "CycloneDX JSON (1.2 to 1.7) and SPDX JSON (2.2, 2.3) are read";

/**
 * Reads an SBOM, whose format is found from its content. Throws InputError: for a format that is not read (which
 * one, and what is read), for text that is no JSON or ends too early (line and column), for a wrong structure (JSON
 * path), past a limit. Nothing is read in part. `fallbackOs` counts where the document names no operating system.
 */
export function parseSbom(content: Buffer, fallbackOs?: OperatingSystem): ParsedSoftware {
  if (content.length > sbomLimits.bytes) {
    throw new InputError("too-large", `the document is larger than the limit of ${sizeText(sbomLimits.bytes)}`);
  }
  const text = decode(content);
  const start = text.slice(0, 4096).trimStart();
  if (start === "" && text.trim() === "") throw new InputError("empty", "the document is empty");
  const other = formatOfText(start);
  if (other !== undefined) throw new InputError("unsupported-format", `this is ${other}, which is not read; ${readable}`);
  const document = parseJson(text, { depth: sbomLimits.jsonDepth, values: sbomLimits.jsonValues });
  if (isCycloneDx(document)) return parseCycloneDx(document, fallbackOs);
  if (isSpdx(document)) return parseSpdx(document, fallbackOs);
  throw new InputError("unsupported-format", `this is ${formatOfJson(document)}, which is not read as an SBOM; ${readable}`);
}

/** UTF-8, or UTF-16 with its mark, which Windows tools write when their output is redirected. */
function decode(content: Buffer): string {
  if (content[0] === 0xff && content[1] === 0xfe) return content.subarray(2).toString("utf16le");
  const withMark = content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf;
  return (withMark ? content.subarray(3) : content).toString("utf8");
}

function formatOfText(start: string): string | undefined {
  if (start.startsWith("{") || start.startsWith("[")) return undefined;
  if (start.startsWith("<")) {
    if (start.includes("cyclonedx")) return "CycloneDX XML";
    return /spdx/i.test(start) ? "SPDX as RDF or XML" : "an XML document";
  }
  if (/^(?:#.*\n\s*)*SPDXVersion:/.test(start)) return "SPDX tag-value";
  if (/^(?:---\s*)?(?:\w+:.*\n\s*)*?["']?spdxVersion["']?:/.test(start)) return "SPDX YAML";
  if (/^Package: /m.test(start)) return "a dpkg status file (use --dpkg-status)";
  return "no JSON document";
}

function formatOfJson(document: unknown): string {
  if (!isObject(document)) return "a JSON list";
  const context = JSON.stringify(document["@context"] ?? "");
  if (context.includes("spdx.org/rdf/3")) return "SPDX 3 (JSON-LD)";
  if (context.includes("openvex")) return "an OpenVEX document";
  if (Array.isArray(document["artifacts"])) return "a Syft JSON document (syft can write CycloneDX: -o cyclonedx-json)";
  if ("predicateType" in document || "payloadType" in document) return "an in-toto attestation (take the SBOM out of its predicate)";
  if (isSpdx(document["sbom"])) return "an SPDX document wrapped in an object (take the value of its field sbom)";
  if ("lockfileVersion" in document) return "an npm lock file";
  if ("SchemaVersion" in document && "Results" in document) return "a Trivy report (trivy can write CycloneDX: --format cyclonedx)";
  if ("specVersion" in document && "components" in document) return "like CycloneDX but without bomFormat";
  return "a JSON document of an unknown kind";
}
