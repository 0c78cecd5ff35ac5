import cvss from "ae-cvss-calculator";
import type { Severity } from "./advisory.ts";

/** The rating of a CVSS vector. */
export interface CvssRating {
  version: "2.0" | "3.0" | "3.1" | "4.0";
  /** 0.0 to 10.0. The base score; for 4.0 with the threat and environment metrics that the vector states. */
  score: number;
  severity: Severity;
}

/**
 * Rates a CVSS vector of version 2.0 (with or without a prefix, or in brackets), 3.0, 3.1 or 4.0. Words are those of
 * FIRST; version 2.0 has none of its own, so NVD's are used (low, medium, high).
 * Returns undefined for a vector that cannot be read or that leaves a base metric open.
 */
export function rateCvss(vector: string): CvssRating | undefined {
  const text = vector.trim().replace(/^\((.*)\)$/, "$1");
  if (!isWellFormed(text)) return undefined;
  try {
    return rate(text);
  } catch {
    return undefined; // the library throws plain errors for unknown metrics and values
  }
}

/** Metrics `NAME:VALUE` between slashes, none twice: the library is laxer, and prints a warning for some of the rest. */
function isWellFormed(vector: string): boolean {
  if (vector.length > 512 || !/^(CVSS:\d\.\d\/)?[A-Za-z]+:[A-Za-z]+(\/[A-Za-z]+:[A-Za-z]+)*$/.test(vector)) return false;
  const metrics = vector.split("/").map((metric) => metric.split(":")[0]);
  return new Set(metrics).size === metrics.length;
}

function rate(vector: string): CvssRating | undefined {
  const version = /^CVSS:(\d+\.\d+)\//.exec(vector)?.[1];
  switch (version) {
    case "4.0": {
      const parsed = new cvss.Cvss4P0(vector);
      return parsed.isBaseFullyDefined() ? rated(version, parsed.calculateScores().overall) : undefined;
    }
    case "3.1":
    case "3.0": {
      const parsed = version === "3.1" ? new cvss.Cvss3P1(vector) : new cvss.Cvss3P0(vector);
      return parsed.isBaseFullyDefined() ? rated(version, parsed.calculateScores().base) : undefined;
    }
    case "2.0":
    case undefined: {
      const parsed = new cvss.Cvss2(vector.replace(/^CVSS:2\.0\//, ""));
      return parsed.isBaseFullyDefined() ? rated("2.0", parsed.calculateScores().base) : undefined;
    }
    default:
      return undefined;
  }
}

function rated(version: CvssRating["version"], score: number | undefined): CvssRating | undefined {
  if (score === undefined || !Number.isFinite(score)) return undefined;
  return { version, score, severity: version === "2.0" ? wordOfVersion2(score) : wordOf(score) };
}

function wordOf(score: number): Severity {
  if (score >= 9) return "critical";
  if (score >= 7) return "high";
  if (score >= 4) return "medium";
  return score > 0 ? "low" : "none";
}

function wordOfVersion2(score: number): Severity {
  if (score >= 7) return "high";
  return score >= 4 ? "medium" : "low";
}
