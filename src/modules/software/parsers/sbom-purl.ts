import type { OperatingSystem } from "../component.ts";
import { distributionTypes, formatPurl, formatUpstream, parsePurl } from "../purl.ts";
import { distroOf } from "./distribution-package.ts";

/** What a document says of a component beside its purl. */
export interface PurlHints {
  /** The document's operating system, where there is exactly one. */
  os: OperatingSystem | undefined;
  source: { name: string; version?: string } | undefined;
}

/**
 * A distribution package's purl with what it lacks: `distro` from the document's operating system (of the same
 * distribution), `upstream` from the source package that some tools give as a property. Other purls, and malformed
 * ones, stay as they are.
 */
export function completedPurl(text: string, { os, source }: PurlHints): string {
  if (os === undefined && source === undefined) return text;
  const purl = parsePurl(text);
  if ("malformed" in purl || !distributionTypes.has(purl.type)) return text;
  const added: Record<string, string> = {};
  const ofThisSystem = os !== undefined && (purl.namespace === undefined || purl.namespace === os.id);
  if (ofThisSystem && purl.qualifiers["distro"] === undefined) added["distro"] = distroOf(os);
  if (source && purl.qualifiers["upstream"] === undefined && !isItsOwnSource(purl, source)) {
    added["upstream"] = formatUpstream(source.name, source.version === purl.version ? undefined : source.version);
  }
  if (Object.keys(added).length === 0) return text;
  return formatPurl({ ...purl, qualifiers: { ...purl.qualifiers, ...added } });
}

function isItsOwnSource(
  purl: { name: string; version?: string },
  source: { name: string; version?: string },
): boolean {
  return source.name === purl.name && (source.version === undefined || source.version === purl.version);
}
