import type { Coordinates } from "../../software/purl.ts";
import type { Ecosystem } from "./ecosystems.ts";
import type { Finding } from "./finding.ts";
import { packageNameOf, versionIn } from "./package-names.ts";

/** What of a component is compared with advisories. */
export interface Target {
  matchedBy: Finding["matchedBy"];
  /** Name and version that are reported. */
  source: string;
  sourceVersion: string;
  /** Name and version that are looked up and compared; other ones for a signed build. */
  lookUp: { name: string; version: string };
}

/** Undefined where neither the component nor its source has a version. */
export function targetsOf(coordinates: Coordinates, ecosystem: Ecosystem): [Target, ...Target[]] | undefined {
  return ecosystem.bySource ? sourceTargets(coordinates) : packageTarget(coordinates, ecosystem);
}

function packageTarget(coordinates: Coordinates, { id }: Ecosystem): [Target] | undefined {
  if (coordinates.version === undefined) return undefined;
  const name = packageNameOf(id, coordinates);
  const version = versionIn(id, name, coordinates.version);
  return [{ matchedBy: "package", source: name, sourceVersion: coordinates.version, lookUp: { name, version } }];
}

function sourceTargets(coordinates: Coordinates): [Target, ...Target[]] | undefined {
  const version = sourceVersionOf(coordinates);
  if (version === undefined) return undefined;
  const source = coordinates.upstream?.name ?? coordinates.name;
  const own: Target = { matchedBy: "source", source, sourceVersion: version, lookUp: { name: source, version } };
  const signed = coordinates.type === "deb" ? signedFrom(source, version) : undefined;
  if (signed === undefined) return [own];
  return [own, { matchedBy: "signed-source", source, sourceVersion: version, lookUp: signed }];
}

/**
 * The source's version where the purl gives it. Without one a source has its binaries' version, as dpkg and syft leave
 * it out when it is the same; a rebuild by the archive (`+b1`) changes the binaries alone.
 */
function sourceVersionOf({ type, arch, version, upstream }: Coordinates): string | undefined {
  if (upstream?.version !== undefined) return upstream.version;
  if (type !== "deb" || arch === "source") return version;
  return version?.replace(/\+b\d+$/, "");
}

/**
 * Debian signs its kernels in source packages of their own, `linux-signed[-SERIES]-ARCH`, whose version is the kernel's
 * with `+` for the hyphen before its revision: 6.1.176+1 is linux 6.1.176-1, and 4.19.118+2+deb10u1 is
 * 4.19.118-2+deb10u1. The first `+` is the hyphen, because a kernel's upstream version has none.
 */
export function signedFrom(source: string, version: string): { name: string; version: string } | undefined {
  const series = /^linux-signed(-\d+\.\d+)?-[a-z0-9]+$/.exec(source);
  if (series === null || !version.includes("+")) return undefined;
  return { name: `linux${series[1] ?? ""}`, version: version.replace("+", "-") };
}
