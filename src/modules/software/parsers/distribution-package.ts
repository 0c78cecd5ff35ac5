import type { Component, OperatingSystem } from "../component.ts";
import { formatPurl, formatUpstream } from "../purl.ts";

/** A package of a distribution, as its package database describes it. */
export interface DistributionPackage {
  type: "apk" | "deb";
  name: string;
  version?: string;
  arch?: string;
  /** The source package; its version only where the database gives one. */
  source?: { name: string; version?: string };
}

/** The qualifier `distro`: `debian-12`, or only the id for a release without a number. */
export function distroOf(os: OperatingSystem): string {
  return os.versionId === "" ? os.id : `${os.id}-${os.versionId}`;
}

/** Without an operating system there is no namespace, so no purl: the package is counted, but cannot be matched. */
export function distributionComponent(item: DistributionPackage, os: OperatingSystem | undefined): Component {
  const version = item.version === undefined ? {} : { version: item.version };
  if (os === undefined) return { name: item.name, ...version };
  return {
    name: item.name,
    ...version,
    purl: formatPurl({
      type: item.type,
      namespace: os.id,
      name: item.name,
      ...version,
      qualifiers: { arch: item.arch, distro: distroOf(os), upstream: upstreamOf(item) },
    }),
  };
}

/** Only where the source differs from the package: a purl without `upstream` is its own source. */
function upstreamOf({ name, version, source }: DistributionPackage): string | undefined {
  if (source === undefined) return undefined;
  const sourceVersion = source.version === version ? undefined : source.version;
  if (source.name === name && sourceVersion === undefined) return undefined;
  return formatUpstream(source.name, sourceVersion);
}
