import type { Coordinates } from "../../software/purl.ts";

/** The name by which OSV records of `ecosystem` call the package that a purl names. */
export function packageNameOf(ecosystem: string, { namespace, name }: Coordinates): string {
  if (namespace === undefined) return name;
  switch (ecosystem) {
    case "npm":
      return `${namespace.startsWith("@") ? "" : "@"}${namespace}/${name}`;
    case "Maven":
      return `${namespace}:${name}`;
    case "Go":
    case "GitHub Actions":
    case "Packagist":
    case "SwiftURL":
      return `${namespace}/${name}`;
    default:
      return name;
  }
}

/**
 * The form under which names are indexed: what the ecosystem itself holds equal, and the case that a purl loses (the
 * purl types golang, composer and pypi are written in lower case, OSV keeps the case of the repository).
 */
export function nameKey(ecosystem: string, name: string): string {
  switch (ecosystem) {
    case "PyPI":
      return name.toLowerCase().replace(/[-_.]+/g, "-"); // PEP 503
    case "SwiftURL":
      return name.toLowerCase().replace(/^https?:\/\//, "").replace(/\.git$/, "");
    case "Go":
    case "GitHub Actions":
    case "Hex":
    case "NuGet":
    case "Packagist":
      return name.toLowerCase();
    default:
      return name;
  }
}

/** A version as OSV records of `ecosystem` write it. */
export function versionIn(ecosystem: string, packageName: string, version: string): string {
  if (ecosystem !== "Go") return version;
  return packageName === "stdlib" || packageName === "toolchain" ? goRelease(version) : version;
}

/** `go1.22`, `go1.22rc1` -> `1.22.0`, `1.22.0-rc.1`: the releases of Go itself are older than its modules' versions. */
function goRelease(version: string): string {
  const found = /^(?:go|v)?(\d+)\.(\d+)(?:\.(\d+))?(?:(beta|rc)(\d+))?$/.exec(version);
  if (found === null) return version;
  const [, major, minor, patch = "0", stage, count] = found;
  return `${major}.${minor}.${patch}${stage === undefined ? "" : `-${stage}.${count}`}`;
}
