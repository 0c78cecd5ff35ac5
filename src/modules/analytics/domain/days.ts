const dayMs = 86_400_000;

/** The UTC day of a time, YYYY-MM-DD. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Days after that one. */
export function daysAfter(day: string, days: number): string {
  return dayOf(Date.parse(`${day}T00:00:00Z`) + days * dayMs);
}

/** Both ends included; negative where the first is after the second. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / dayMs) + 1;
}

/** A value for each day: what was counted in it, or the level at its end. Days without a change are filled. */
export function seriesOf(kind: "count" | "level", { before, days }: { before: number; days: ReadonlyMap<string, number> }, from: string, to: string): { day: string; value: number }[] {
  let sum = before;
  return Array.from({ length: daysBetween(from, to) }, (_, i) => {
    const day = daysAfter(from, i);
    const change = days.get(day) ?? 0;
    sum += change;
    return { day, value: kind === "level" ? sum : change };
  });
}
