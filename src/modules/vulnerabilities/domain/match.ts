import { DeclaredError } from "../../../platform/errors.ts";
import type { Component } from "../../software/component.ts";
import { coordinatesOf } from "../../software/purl.ts";
import type { Coordinates } from "../../software/purl.ts";
import { withoutRelease } from "./advisory-index.ts";
import type { AdvisoryIndex, IndexedAdvisory } from "./advisory-index.ts";
import { severities } from "./advisory.ts";
import type { Severity } from "./advisory.ts";
import { ecosystemOf } from "./ecosystems.ts";
import type { Ecosystem, NotMapped } from "./ecosystems.ts";
import type { AffectedPackage, CouldNotMatch, CouldNotMatchCode, Finding } from "./finding.ts";
import { TooManyFindings } from "../errors.ts";
import { evaluate, fixFor } from "./ranges.ts";
import { targetsOf } from "./sources.ts";
import type { Target } from "./sources.ts";

export interface LookUp {
  ecosystem: string;
  package: string;
}

export interface MatchResult {
  /** Sorted by source, its version, advisory, matchedBy and ecosystem. */
  findings: Finding[];
  /** One entry for each component that could not be matched, or not with every advisory about it; in input order. */
  couldNotMatch: CouldNotMatch[];
  /** How many components were given. */
  packages: number;
}

/**
 * Says which of the components the advisories affect. Pure; the same input gives the same result, to the byte.
 *
 * A component of a Debian-like distribution is compared by its source package and the source's version. A component
 * of which anything stays open is in `couldNotMatch`, also where other advisories are certain to affect it: what is
 * certain is reported, and the rest is never shown as clean. Errors: TooManyFindings, over `mostFindings`.
 */
export function match(components: Iterable<Component>, advisories: AdvisoryIndex, { mostFindings = Infinity } = {}): MatchResult {
  const found = new Map<string, { finding: Finding; packages: Map<string, AffectedPackage> }>();
  const couldNotMatch: CouldNotMatch[] = [];
  const judged = new Map<string, Judgement>();
  let packages = 0;
  for (const component of components) {
    packages += 1;
    const placed = placeOf(component, advisories);
    if ("code" in placed) {
      couldNotMatch.push(notMatched(component, placed));
      continue;
    }
    const { ecosystem, targets } = placed;
    const judgements = targets.map((target) => {
      const key = JSON.stringify([ecosystem.id, target.matchedBy, target.lookUp.name, target.lookUp.version, target.source]);
      const judgement = judged.get(key) ?? judge(target, ecosystem, advisories);
      judged.set(key, judgement);
      return judgement;
    });
    const installed = packageOf(component);
    for (const finding of judgements.flatMap(({ findings }) => findings)) {
      const key = JSON.stringify([finding.advisory, finding.source, finding.sourceVersion, finding.matchedBy, finding.ecosystem]);
      const entry = found.get(key) ?? { finding, packages: new Map<string, AffectedPackage>() };
      entry.packages.set(installed.purl ?? JSON.stringify([installed.name, installed.version]), installed);
      found.set(key, entry);
    }
    if (found.size > mostFindings) throw new DeclaredError(TooManyFindings, `There are more than ${mostFindings} findings in these components; scan what belongs together, machine by machine.`);
    const open = whatStaysOpen(ecosystem, targets, judgements);
    if (open !== undefined) couldNotMatch.push(notMatched(component, open));
  }
  const findings = [...found.values()].map(({ finding, packages: installed }) => ({
    ...finding,
    packages: [...installed.values()].sort(byKeys(({ name, version, purl }) => [name, version ?? "", purl ?? ""])),
  }));
  findings.sort(byKeys((finding) => [finding.source, finding.sourceVersion, finding.advisory, finding.matchedBy, finding.ecosystem]));
  return { findings, couldNotMatch, packages };
}

/**
 * What advisories must be looked up for a component, for a caller that fetches only those; empty where none can be.
 * Names the ecosystem also without its release, because an advisory may hold for every release.
 */
export function lookUpsOf(component: Component): LookUp[] {
  const mapped = mapComponent(component);
  if ("code" in mapped) return [];
  const targets = targetsOf(mapped.coordinates, mapped.ecosystem) ?? [];
  const ecosystems = new Set([mapped.ecosystem.id, withoutRelease(mapped.ecosystem.id)]);
  return targets.flatMap(({ lookUp }) => [...ecosystems].map((ecosystem) => ({ ecosystem, package: lookUp.name })));
}

/** Those of all the components, each once. */
export function distinctLookUps(components: readonly Component[]): LookUp[] {
  const distinct = new Map<string, LookUp>();
  for (const lookUp of components.flatMap(lookUpsOf)) distinct.set(`${lookUp.ecosystem}\n${lookUp.package}`, lookUp);
  return [...distinct.values()];
}

interface Place {
  ecosystem: Ecosystem;
  targets: readonly [Target, ...Target[]];
}

function placeOf(component: Component, advisories: AdvisoryIndex): Place | NotMapped {
  const mapped = mapComponent(component);
  if ("code" in mapped) return mapped;
  const { coordinates, ecosystem } = mapped;
  if (!advisories.covers(ecosystem.id)) {
    return { code: "advisories-not-loaded", text: `no advisories are loaded for ${ecosystem.id}` };
  }
  const targets = targetsOf(coordinates, ecosystem);
  if (targets === undefined) return { code: "no-version", text: "it has no version" };
  return { ecosystem, targets };
}

function mapComponent(component: Component): { coordinates: Coordinates; ecosystem: Ecosystem } | NotMapped {
  const coordinates = coordinatesOf(component);
  if (coordinates === undefined) {
    return { code: "no-purl", text: "it has no purl, so neither its kind nor its distribution is known" };
  }
  if ("malformed" in coordinates) return { code: "malformed-purl", text: `its purl cannot be read: ${coordinates.malformed}` };
  const ecosystem = ecosystemOf(coordinates);
  return "code" in ecosystem ? ecosystem : { coordinates, ecosystem };
}

/** What the advisories say of one source or package in one version. Its findings have no packages yet. */
interface Judgement {
  findings: Finding[];
  undecided: string[];
}

function judge(target: Target, ecosystem: Ecosystem, advisories: AdvisoryIndex): Judgement {
  const judgement: Judgement = { findings: [], undecided: [] };
  for (const candidate of advisories.lookUp(ecosystem.id, target.lookUp.name)) {
    const verdict = evaluate(target.lookUp.version, candidate.entries, ecosystem.order);
    if (verdict === "affected") judgement.findings.push(findingOf(target, ecosystem, candidate));
    if (verdict === "undecided") judgement.undecided.push(candidate.advisory.id);
  }
  return judgement;
}

function findingOf(target: Target, ecosystem: Ecosystem, { advisory, entries }: IndexedAdvisory): Finding {
  const own = entries.filter((entry) => entry.severity !== undefined).toSorted((a, b) => rank(a.severity) - rank(b.severity))[0];
  const vector = own === undefined ? advisory.vector : own.vector;
  return {
    advisory: advisory.id,
    aliases: advisory.aliases,
    ...(advisory.summary !== undefined && { summary: advisory.summary }),
    ecosystem: ecosystem.id,
    source: target.source,
    sourceVersion: target.sourceVersion,
    matchedBy: target.matchedBy,
    ...(target.matchedBy === "signed-source" && { matchedSource: target.lookUp.name, matchedVersion: target.lookUp.version }),
    fixedVersion: fixFor(target.lookUp.version, entries, ecosystem.order) ?? null,
    severity: own?.severity ?? advisory.severity,
    ...(vector !== undefined && { vector }),
    packages: [],
  };
}

function rank(severity: Severity | undefined): number {
  return severity === undefined ? severities.length : severities.indexOf(severity);
}

function whatStaysOpen(
  { id, order }: Ecosystem,
  targets: readonly [Target, ...Target[]],
  judgements: readonly Judgement[],
): NotMapped | undefined {
  const undecided = [...new Set(judgements.flatMap((judgement) => judgement.undecided))];
  const found = judgements.some(({ findings }) => findings.length > 0);
  if (order === undefined && (undecided.length > 0 || !found)) {
    return open("ecosystem-not-compared", `versions of ${id} are not compared yet`, undecided);
  }
  const { version } = targets[0].lookUp;
  if (order !== undefined && !order.isValid(version)) {
    return open("invalid-version", `"${version}" is not a valid version for ${id}`, undecided);
  }
  if (undecided.length === 0) return undefined;
  return open("advisory-undecided", "the versions that an advisory names cannot be compared with it", undecided);
}

const namedAdvisories = 3;

function open(code: CouldNotMatchCode, text: string, undecided: readonly string[]): NotMapped {
  if (undecided.length === 0) return { code, text };
  const named = undecided.slice(0, namedAdvisories).join(", ");
  const more = undecided.length > namedAdvisories ? ` and ${undecided.length - namedAdvisories} more` : "";
  return { code, text: `${text} (undecided: ${named}${more})` };
}

function notMatched(component: Component, why: NotMapped): CouldNotMatch {
  return { what: packageOf(component), why: { code: why.code, text: why.text } };
}

function packageOf({ name, version, purl }: Component): AffectedPackage {
  return { name, ...(version !== undefined && { version }), ...(purl !== undefined && { purl }) };
}

/** Orders by code units, so that no locale changes a report. */
function byKeys<T>(keysOf: (item: T) => readonly string[]): (a: T, b: T) => number {
  return (a, b) => {
    const right = keysOf(b);
    for (const [at, left] of keysOf(a).entries()) {
      const other = right[at] ?? "";
      if (left !== other) return left < other ? -1 : 1;
    }
    return 0;
  };
}
