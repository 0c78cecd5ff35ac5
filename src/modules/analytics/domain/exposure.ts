import type { Change, Happened } from "./activity.ts";

export const severities = ["critical", "high", "medium", "low", "none", "unknown"] as const;
export type Severity = (typeof severities)[number];
export type Counts = Readonly<Record<Severity, number>>;
export type Kind = "asset" | "image";

export const exposureTypes = ["software.recorded", "vulnerabilities.matched", "inventory.asset-deleted", "images.deleted"] as const;

const nothing: Counts = { critical: 0, high: 0, medium: 0, low: 0, none: 0, unknown: 0 };

/** An asset or image. */
export interface Target {
  kind: Kind;
  /** Component set whose findings count for it. */
  counted: string | null;
  /** Component set that was recorded since and is not matched yet: until then the findings before count. */
  pending: string | null;
}

/** A component set that was matched, and how many targets count its findings. */
export interface MatchedSet {
  assets: number;
  images: number;
  counts: Counts;
}

/** What is known of one organization; only what the events of a page speak of need be there. Undefined: it is none (any more). */
export interface Exposure {
  targets: Map<string, Target | undefined>;
  sets: Map<string, MatchedSet>;
}

/**
 * Moves on by one event and answers how the metrics change. An asset counts each finding of its component set, so that a
 * finding on a hundred assets counts a hundred times. What is opened and resolved is the difference of two matches.
 */
export function exposed(state: Exposure, { type, subject, data }: Happened & { subject: string }): Change[] {
  if (type === "software.recorded") return recorded(state, subject, data["kind"] === "image" ? "image" : "asset", String(data["componentSet"]));
  if (type === "vulnerabilities.matched") return matched(state, subject, countsOf(data["bySeverity"]));
  return deleted(state, subject);
}

function recorded(state: Exposure, id: string, kind: Kind, set: string): Change[] {
  const target = state.targets.get(id) ?? { kind, counted: null, pending: null };
  if (!state.sets.has(set)) {
    state.targets.set(id, { ...target, pending: set });
    return [];
  }
  return counting(state, id, target, set);
}

function matched(state: Exposure, set: string, counts: Counts): Change[] {
  const before = state.sets.get(set);
  state.sets.set(set, { assets: before?.assets ?? 0, images: before?.images ?? 0, counts });
  const changes = before === undefined ? [] : [...changed("asset", before.counts, counts, before.assets), ...changed("image", before.counts, counts, before.images)];
  for (const [id, target] of state.targets) if (target?.pending === set) changes.push(...counting(state, id, target, set));
  return changes;
}

function deleted(state: Exposure, id: string): Change[] {
  const target = state.targets.get(id);
  if (target === undefined) return [];
  state.targets.set(id, undefined);
  return changed(target.kind, left(state, target), nothing, 1);
}

/** From now on the findings of that set count for the target. */
function counting(state: Exposure, id: string, target: Target, set: string): Change[] {
  const before = left(state, target);
  const next = state.sets.get(set) as MatchedSet;
  const member = memberOf(target.kind);
  state.sets.set(set, { ...next, [member]: next[member] + 1 });
  state.targets.set(id, { kind: target.kind, counted: set, pending: null });
  return changed(target.kind, before, next.counts, 1);
}

/** What counted for the target up to now, and no longer does. */
function left(state: Exposure, { kind, counted }: Target): Counts {
  const set = counted === null ? undefined : state.sets.get(counted);
  if (counted === null || set === undefined) return nothing;
  const member = memberOf(kind);
  state.sets.set(counted, { ...set, [member]: set[member] - 1 });
  return set.counts;
}

const memberOf = (kind: Kind): "assets" | "images" => `${kind}s`;

function changed(kind: Kind, from: Counts, to: Counts, times: number): Change[] {
  return severities.flatMap((severity) => {
    const by = (to[severity] - from[severity]) * times;
    if (by === 0) return [];
    if (kind === "image") return [{ metric: `images.findings.${severity}`, by }];
    return [{ metric: `findings.open.${severity}`, by }, { metric: `findings.${by > 0 ? "opened" : "resolved"}.${severity}`, by: Math.abs(by) }];
  });
}

function countsOf(value: unknown): Counts {
  const given = (value ?? {}) as Partial<Record<Severity, unknown>>;
  return Object.fromEntries(severities.map((severity) => [severity, Number(given[severity] ?? 0)])) as Counts;
}
