/**
 * A piece of software as a parser reports it: an installed package, or a library that an SBOM declares.
 * The purl (ECMA-427) says everything that matching needs: type, namespace, name, version, and as qualifiers
 * `arch`, `distro` (for example `debian-12`) and `upstream` (`NAME[@VERSION]`, the source package).
 */
export interface Component {
  name: string;
  /** Absent where the document gives none; such a component is counted as "could not match". */
  version?: string;
  /** Absent where the document gives none and none can be derived. */
  purl?: string;
}

/** The operating system that os-release(5) describes. */
export interface OperatingSystem {
  /** `ID`, for example `debian`. */
  id: string;
  /** `VERSION_ID`, for example `12`; empty for a rolling release. */
  versionId: string;
  prettyName?: string;
}

/** What one input (a root file system, a dpkg status file, an SBOM) holds. */
export interface ParsedSoftware {
  os?: OperatingSystem;
  components: Component[];
}
