import type { Affected, AffectedRange, RangeEvent } from "./advisory.ts";
import { semverOrder } from "./ecosystems.ts";
import type { VersionOrder } from "./ecosystems.ts";

/** `undecided`: a bound or the version cannot be compared, or the record does not say which versions it means. */
export type Verdict = "affected" | "unaffected" | "undecided";

/**
 * Says whether a version is affected by the entries that one advisory has for one package: the algorithm of
 * https://ossf.github.io/osv-schema/#evaluation, with a third answer. Certain answers win: a version that is
 * enumerated, or that lies in one readable range, is affected whatever the other ranges are.
 */
export function evaluate(version: string, entries: readonly Affected[], order: VersionOrder | undefined): Verdict {
  let undecided = false;
  for (const { versions, ranges } of entries) {
    if (versions.includes(version)) return "affected";
    if (versions.length === 0 && ranges.length === 0) undecided = true;
    for (const range of ranges) {
      const verdict = evaluateRange(version, range, order);
      if (verdict === "affected") return verdict;
      if (verdict === "undecided") undecided = true;
    }
  }
  return undecided ? "undecided" : "unaffected";
}

function evaluateRange(version: string, range: AffectedRange, ecosystemOrder: VersionOrder | undefined): Verdict {
  if (affectsEverything(range.events)) return "affected";
  const order = orderFor(range, ecosystemOrder);
  if (order === undefined) return "undecided";
  const sorted = sortEvents(range.events, order);
  if (sorted === undefined) return "undecided";
  let affected = false;
  for (const event of sorted) {
    const difference = compareBound(version, boundOf(event), order);
    if (difference === undefined) return "undecided";
    if (event.introduced !== undefined && difference >= 0) affected = true;
    else if (event.fixed !== undefined && difference >= 0) affected = false;
    else if (event.lastAffected !== undefined && difference > 0) affected = false;
  }
  return affected && isBeforeLimits(version, range.events, order) ? "affected" : "unaffected";
}

/** A range of type SEMVER is semantic versions whatever its ecosystem, except where that has a better order of its own. */
function orderFor(range: AffectedRange, order: VersionOrder | undefined): VersionOrder | undefined {
  return order ?? (range.type === "SEMVER" ? semverOrder : undefined);
}

function affectsEverything(events: readonly RangeEvent[]): boolean {
  return events.length > 0 && events.every((event) => event.introduced === "0");
}

function isBeforeLimits(version: string, events: readonly RangeEvent[], order: VersionOrder): boolean {
  const limits = events.flatMap((event) => (event.limit === undefined ? [] : [event.limit]));
  if (limits.length === 0) return true;
  return limits.some((limit) => limit === "*" || (order.compare(version, limit) ?? 0) < 0);
}

const sortedEvents = new WeakMap<readonly RangeEvent[], readonly RangeEvent[] | "unsortable">();

/** Sorted once for each range: an index is asked about the same range by many components. */
function sortEvents(events: readonly RangeEvent[], order: VersionOrder): readonly RangeEvent[] | undefined {
  let sorted = sortedEvents.get(events);
  if (sorted === undefined) {
    const bounds = events.map(boundOf).filter((bound) => bound !== "*" && bound !== "0");
    const readable = bounds.every((bound) => order.isValid(bound));
    sorted = readable ? events.toSorted((a, b) => compareBounds(boundOf(a), boundOf(b), order)) : "unsortable";
    sortedEvents.set(events, sorted);
  }
  return sorted === "unsortable" ? undefined : sorted;
}

function boundOf(event: RangeEvent): string {
  return event.introduced ?? event.fixed ?? event.lastAffected ?? event.limit ?? "0";
}

/** `0` is below and `*` above every version. */
function compareBound(version: string, bound: string, order: VersionOrder): number | undefined {
  if (bound === "*") return -1;
  if (!order.isValid(version)) return undefined;
  return bound === "0" ? 1 : order.compare(version, bound);
}

function compareBounds(a: string, b: string, order: VersionOrder): number {
  if (a === b) return 0;
  if (a === "0" || b === "*") return -1;
  if (b === "0" || a === "*") return 1;
  return order.compare(a, b) ?? 0;
}

/**
 * The lowest version above `version` that the entries call fixed and that none of them affects; undefined where there
 * is none. Where versions cannot be compared, the only fix of a record is the one that applies.
 */
export function fixFor(version: string, entries: readonly Affected[], order: VersionOrder | undefined): string | undefined {
  const fixes = entries.flatMap(({ ranges }) =>
    ranges.flatMap((range) =>
      range.events.flatMap(({ fixed }) => (fixed === undefined ? [] : [{ fixed, order: orderFor(range, order) }])),
    ),
  );
  const candidates = fixes.filter((fix) => (fix.order?.compare(fix.fixed, version) ?? -1) > 0);
  candidates.sort((a, b) => a.order?.compare(a.fixed, b.fixed) ?? 0);
  const best = candidates.find(({ fixed }) => evaluate(fixed, entries, order) === "unaffected");
  if (best !== undefined) return best.fixed;
  const only = new Set(fixes.map(({ fixed }) => fixed));
  return order === undefined && only.size === 1 ? fixes[0]?.fixed : undefined;
}
