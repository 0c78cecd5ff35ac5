import type { Advisory, Affected } from "./advisory.ts";
import { normaliseEcosystem } from "./ecosystems.ts";
import { nameKey } from "./package-names.ts";

/** What one advisory says of one package: usually one entry, several where its ranges are split. */
export interface IndexedAdvisory {
  advisory: Advisory;
  entries: readonly Affected[];
}

/** Advisories by ecosystem and package name, all in memory. */
export interface AdvisoryIndex {
  /** True where advisories for this ecosystem, and its release, are loaded. */
  covers: (ecosystem: string) => boolean;
  lookUp: (ecosystem: string, packageName: string) => readonly IndexedAdvisory[];
}

export interface IndexOptions {
  /**
   * Ecosystems that count as loaded even where no advisory of them is given: for a caller that fetches only the
   * advisories about the packages at hand.
   */
  ecosystems?: Iterable<string>;
}

/** Builds the index that `match` asks. An entry without a release (`Debian`) holds for every release of its ecosystem. */
export function indexAdvisories(advisories: Iterable<Advisory>, { ecosystems = [] }: IndexOptions = {}): AdvisoryIndex {
  const loaded = new Set<string>();
  for (const ecosystem of ecosystems) loaded.add(normaliseEcosystem(ecosystem));
  const byPackage = new Map<string, { advisory: Advisory; entries: Affected[] }[]>();
  for (const advisory of advisories) {
    for (const affected of advisory.affected) {
      const ecosystem = normaliseEcosystem(affected.ecosystem);
      loaded.add(ecosystem);
      add(byPackage, keyOf(ecosystem, affected.package), advisory, affected);
    }
  }
  return {
    covers: (ecosystem) => loaded.has(ecosystem) || loaded.has(withoutRelease(ecosystem)),
    lookUp: (ecosystem, packageName) => {
      const exact = byPackage.get(keyOf(ecosystem, packageName)) ?? [];
      const general = withoutRelease(ecosystem);
      if (general === ecosystem) return exact;
      const everyRelease = byPackage.get(keyOf(general, packageName));
      return everyRelease === undefined ? exact : [...exact, ...everyRelease];
    },
  };
}

function add(
  byPackage: Map<string, { advisory: Advisory; entries: Affected[] }[]>,
  key: string,
  advisory: Advisory,
  affected: Affected,
): void {
  const list = byPackage.get(key);
  const last = list?.at(-1);
  if (list === undefined) byPackage.set(key, [{ advisory, entries: [affected] }]);
  else if (last?.advisory === advisory) last.entries.push(affected);
  else list.push({ advisory, entries: [affected] });
}

function keyOf(ecosystem: string, packageName: string): string {
  return `${ecosystem}\n${nameKey(ecosystem, packageName)}`;
}

/** `Debian:12` -> `Debian`; an ecosystem without releases is itself. */
export function withoutRelease(ecosystem: string): string {
  const colon = ecosystem.indexOf(":");
  return colon < 0 ? ecosystem : ecosystem.slice(0, colon);
}
