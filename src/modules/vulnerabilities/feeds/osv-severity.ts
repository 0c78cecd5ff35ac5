import type { Severity } from "../domain/advisory.ts";
import { severities } from "../domain/advisory.ts";
import { rateCvss } from "../domain/cvss.ts";
import type { CvssRating } from "../domain/cvss.ts";

export interface StatedSeverity {
  severity: Severity;
  vector?: string;
}

/** Words that feeds use (GitHub, Ubuntu, Debian's urgency, Red Hat and its rebuilds) as CVSS rating words. */
const words: Readonly<Record<string, Severity>> = {
  critical: "critical",
  high: "high",
  important: "high",
  moderate: "medium",
  medium: "medium",
  low: "low",
  negligible: "low",
  minor: "low",
  unimportant: "low",
  none: "none",
};

/** Fields of `database_specific` and `ecosystem_specific` that hold such a word. */
const wordFields = ["severity", "ubuntu_priority", "urgency"] as const;

const cvssOrder: readonly CvssRating["version"][] = ["4.0", "3.1", "3.0", "2.0"];

/**
 * The severity that one place of an OSV record states (the record itself, or one entry of `affected`): the vector of
 * the highest CVSS version that can be read, 4.0 before 3.1, 3.0 and 2.0, and of several the first; else a word;
 * else undefined. A vector that cannot be read counts as not there.
 */
export function statedSeverity(place: Readonly<Record<string, unknown>>): StatedSeverity | undefined {
  const scores = severityEntries(place["severity"]);
  const specific = [asObject(place["database_specific"]), asObject(place["ecosystem_specific"])];
  return (
    highestVersion(scores.map(({ score }) => score)) ??
    highestVersion(specific.flatMap((fields) => (typeof fields["cvss"] === "string" ? [fields["cvss"]] : []))) ??
    firstWord([
      ...scores.map(({ score }) => score),
      ...specific.flatMap((fields) => wordFields.map((field) => fields[field])),
    ])
  );
}

/** The worse of several; undefined where none is stated. */
export function worst(stated: readonly StatedSeverity[]): StatedSeverity | undefined {
  return stated.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity))[0];
}

function highestVersion(vectors: readonly string[]): StatedSeverity | undefined {
  const rated = vectors.flatMap((vector) => {
    const rating = rateCvss(vector);
    return rating === undefined ? [] : [{ vector, rating }];
  });
  for (const version of cvssOrder) {
    const best = rated.find(({ rating }) => rating.version === version);
    if (best !== undefined) return { severity: best.rating.severity, vector: best.vector };
  }
  return undefined;
}

function firstWord(candidates: readonly unknown[]): StatedSeverity | undefined {
  for (const candidate of candidates) {
    if (typeof candidate !== "string") continue;
    const word = candidate.trim().toLowerCase();
    if (Object.hasOwn(words, word)) return { severity: words[word] ?? "unknown" };
  }
  return undefined;
}

function severityEntries(value: unknown): { score: string }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item) => {
    const { score } = asObject(item);
    return typeof score === "string" ? [{ score }] : [];
  });
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
