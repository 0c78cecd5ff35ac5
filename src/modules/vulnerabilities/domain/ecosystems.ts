import type { Coordinates } from "../../software/purl.ts";
import type { CouldNotMatchCode } from "./finding.ts";
import { debianRelease, ubuntuRelease } from "./releases.ts";
import { compareDeb, isDebVersion } from "./versions/deb.ts";
import { compareSemver, isSemver } from "./versions/semver.ts";

/** An order of versions. `compare` answers undefined where one of them is not valid. */
export interface VersionOrder {
  isValid: (version: string) => boolean;
  compare: (left: string, right: string) => number | undefined;
}

export const debOrder: VersionOrder = { isValid: isDebVersion, compare: compareDeb };
export const semverOrder: VersionOrder = { isValid: isSemver, compare: compareSemver };

/** Which advisories can be about a component. */
export interface Ecosystem {
  /** As advisories are indexed: `Debian:12`, `npm`. */
  id: string;
  /** Absent where versions of the ecosystem are not compared; only enumerated versions are certain then. */
  order?: VersionOrder;
  /** Whether its advisories name source packages. */
  bySource: boolean;
}

export interface NotMapped {
  code: CouldNotMatchCode;
  text: string;
}

/** Package ecosystems by purl type (OSV schema, "Defined ecosystems"; purl-spec, PURL-TYPES). */
const byType: Readonly<Record<string, { id: string; order?: VersionOrder }>> = {
  cargo: { id: "crates.io", order: semverOrder },
  golang: { id: "Go", order: semverOrder },
  hex: { id: "Hex", order: semverOrder },
  julia: { id: "Julia", order: semverOrder },
  npm: { id: "npm", order: semverOrder },
  pub: { id: "Pub", order: semverOrder },
  swift: { id: "SwiftURL", order: semverOrder },
  bioconductor: { id: "Bioconductor" },
  composer: { id: "Packagist" },
  conan: { id: "ConanCenter" },
  cran: { id: "CRAN" },
  gem: { id: "RubyGems" },
  githubactions: { id: "GitHub Actions" },
  hackage: { id: "Hackage" },
  maven: { id: "Maven" },
  nuget: { id: "NuGet" },
  opam: { id: "opam" },
  pypi: { id: "PyPI" },
};

/** Distributions whose versions are not compared: how a release is named, and whether advisories name sources. */
const otherDistributions: Readonly<Record<string, { name: string; release: RegExp; prefix: string; bySource: boolean }>> = {
  almalinux: { name: "AlmaLinux", release: /^\d+/, prefix: "", bySource: false },
  alpine: { name: "Alpine", release: /^\d+\.\d+/, prefix: "v", bySource: true },
  rocky: { name: "Rocky Linux", release: /^\d+/, prefix: "", bySource: false },
};
const rollingDistributions: Readonly<Record<string, string>> = { chainguard: "Chainguard", wolfi: "Wolfi" };

/** Finds the ecosystem of a component, or says why there is none. */
export function ecosystemOf(coordinates: Coordinates): Ecosystem | NotMapped {
  const { type } = coordinates;
  if (type === "deb" || type === "apk" || type === "rpm") return distributionOf(coordinates);
  const known = Object.hasOwn(byType, type) ? byType[type] : undefined;
  if (known !== undefined) return { ...known, bySource: false };
  return { code: "type-unsupported", text: `no advisories are known for packages of type ${type}` };
}

function distributionOf({ type, namespace, distro }: Coordinates): Ecosystem | NotMapped {
  if (distro === undefined) {
    return { code: "no-distribution", text: `the purl of this ${type} package has no "distro", so its release is not known` };
  }
  const { id, release } = splitDistro(distro, namespace?.toLowerCase());
  if (id === undefined) {
    return { code: "unknown-distribution", text: `"${distro}" names no distribution that is known` };
  }
  if (namespace !== undefined && namespace.toLowerCase() !== id) {
    return { code: "unknown-distribution", text: `the purl contradicts itself: namespace "${namespace}", distro "${distro}"` };
  }
  const found = type === "deb" ? debianLike(id, release) : otherDistribution(id, release);
  if (found === undefined) {
    return { code: "unknown-distribution", text: `no advisories are known for ${type} packages of "${id}"` };
  }
  if (found.id === undefined) {
    return { code: "unknown-release", text: `"${distro}" is not a release of ${found.name} that is known` };
  }
  return { id: found.id, bySource: found.bySource, ...(found.order && { order: found.order }) };
}

/** `debian-12.15`, `debian:12` -> id and release; `bookworm` or `12` alone take the id from codename or namespace. */
function splitDistro(distro: string, namespace: string | undefined): { id?: string; release: string } {
  const text = distro.toLowerCase();
  const parts = /^([a-z][a-z_]*)(?:[-:](.*))?$/.exec(text);
  const id = parts?.[1];
  if (id !== undefined && (parts?.[2] !== undefined || id === namespace || isDistribution(id))) {
    return { id, release: parts?.[2] ?? "" };
  }
  if (debianRelease(text) !== undefined && id !== undefined) return { id: "debian", release: text };
  if (ubuntuRelease(text) !== undefined && id !== undefined) return { id: "ubuntu", release: text };
  return { ...(namespace !== undefined && { id: namespace }), release: text };
}

function isDistribution(id: string): boolean {
  return id === "debian" || id === "ubuntu" || Object.hasOwn(otherDistributions, id) || Object.hasOwn(rollingDistributions, id);
}

interface Distribution {
  name: string;
  id: string | undefined;
  bySource: boolean;
  order?: VersionOrder;
}

function debianLike(id: string, release: string): Distribution | undefined {
  if (id !== "debian" && id !== "ubuntu") return undefined;
  const name = id === "debian" ? "Debian" : "Ubuntu";
  const known = id === "debian" ? debianRelease(release) : ubuntuRelease(release);
  return { name, id: known && `${name}:${known}`, bySource: true, order: debOrder };
}

function otherDistribution(id: string, release: string): Distribution | undefined {
  const rolling = Object.hasOwn(rollingDistributions, id) ? rollingDistributions[id] : undefined;
  if (rolling !== undefined) return { name: rolling, id: rolling, bySource: true };
  const known = Object.hasOwn(otherDistributions, id) ? otherDistributions[id] : undefined;
  if (known === undefined) return undefined;
  const found = known.release.exec(release)?.[0];
  return { name: known.name, id: found && `${known.name}:${known.prefix}${found}`, bySource: known.bySource };
}

/**
 * An ecosystem as advisories name it, in the form that `ecosystemOf` gives: Ubuntu's `:LTS` is dropped and a Debian
 * codename becomes its number. `Ubuntu:Pro:...` stays apart: its fixes are not in the archive that everybody has.
 */
export function normaliseEcosystem(text: string): string {
  const [name = "", ...suffix] = text.split(":");
  if (name === "Ubuntu") return suffix.at(-1) === "LTS" ? [name, ...suffix.slice(0, -1)].join(":") : text;
  if (name === "Debian" && suffix.length === 1) return `Debian:${debianRelease(suffix[0] ?? "") ?? suffix[0]}`;
  return text;
}

/** The order by which ranges of an advisory of `ecosystem` are read; undefined where it is not compared. */
export function orderOf(ecosystem: string): VersionOrder | undefined {
  const name = ecosystem.split(":")[0] ?? "";
  if (name === "Debian" || name === "Ubuntu") return debOrder;
  return Object.values(byType).find((known) => known.id === name)?.order;
}
