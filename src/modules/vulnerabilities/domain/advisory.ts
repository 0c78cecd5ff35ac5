/** CVSS rating words (FIRST), and `unknown` where nobody states a severity. */
export const severities = ["critical", "high", "medium", "low", "none", "unknown"] as const;
export type Severity = (typeof severities)[number];

/** One event of an OSV range; exactly one field is set. https://ossf.github.io/osv-schema/ */
export interface RangeEvent {
  introduced?: string;
  fixed?: string;
  lastAffected?: string;
  limit?: string;
}

export interface AffectedRange {
  type: "SEMVER" | "ECOSYSTEM";
  events: RangeEvent[];
}

/** One package that an advisory affects. */
export interface Affected {
  /** As matching names it: `Debian:12`, `Ubuntu:22.04`, `npm`, `crates.io`, `Go`. */
  ecosystem: string;
  package: string;
  ranges: AffectedRange[];
  /** Versions that the advisory enumerates. */
  versions: string[];
  /** Where the record states one for this package alone; else the advisory's holds. */
  severity?: Severity;
  /** The CVSS vector of that severity. */
  vector?: string;
}

/** An OSV record, reduced to what matching and its report need. */
export interface Advisory {
  id: string;
  /** OSV `aliases` and `upstream` united, without duplicates, in order of appearance. */
  aliases: string[];
  summary?: string;
  severity: Severity;
  /** The CVSS vector that `severity` was computed from, where there is one. */
  vector?: string;
  /** RFC 3339, UTC. */
  published?: string;
  modified?: string;
  affected: Affected[];
}
