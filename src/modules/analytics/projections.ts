import { projection, type StoredEvent } from "../../platform/events/index.ts";
import { activityTypes, changesOf, type Change } from "./domain/activity.ts";
import { exposed, exposureTypes, type Exposure } from "./domain/exposure.ts";
import { addActivity, addExposure, loadExposure, saveExposure } from "./store.ts";

/** What a metric of an organization changed by on a day. */
export interface DayChange extends Change {
  orgId: string;
  /** In UTC, YYYY-MM-DD. */
  day: string;
}

export const activityProjection = projection({
  id: "analytics.activity", version: 1, on: activityTypes, tables: ["analytics.activity"],
  apply: (db, build, events) => addActivity(db, build, summed(events, (event) => changesOf(event))),
});

export const exposureProjection = projection({
  id: "analytics.exposure", version: 1, on: exposureTypes, tables: ["analytics.exposure", "analytics.exposed_targets", "analytics.exposed_sets"],
  async apply(db, build, events) {
    const states = new Map<string, Exposure>();
    for (const orgId of new Set(events.map((event) => event.orgId))) {
      states.set(orgId, await loadExposure(db, build, orgId, named(events.filter((event) => event.orgId === orgId))));
    }
    await addExposure(db, build, summed(events, (event) => exposed(states.get(event.orgId) as Exposure, event)));
    for (const [orgId, state] of states) await saveExposure(db, build, orgId, state);
  },
});

/** Targets and component sets that the events speak of. */
function named(events: readonly StoredEvent[]): { targets: string[]; sets: string[] } {
  const targets = events.filter(({ type }) => type !== "vulnerabilities.matched").map(({ subject }) => subject);
  const sets = events.flatMap(({ type, subject, data }) => (type === "vulnerabilities.matched" ? [subject] : type === "software.recorded" ? [String(data["componentSet"])] : []));
  return { targets: [...new Set(targets)], sets: [...new Set(sets)] };
}

/** One change for each organization, metric and day. */
function summed(events: readonly StoredEvent[], changes: (event: StoredEvent) => readonly Change[]): DayChange[] {
  const sums = new Map<string, DayChange>();
  for (const event of events) {
    const { orgId } = event;
    const day = event.time.slice(0, 10);
    for (const { metric, by } of changes(event)) {
      const key = `${orgId} ${metric} ${day}`;
      sums.set(key, { orgId, metric, day, by: (sums.get(key)?.by ?? 0) + by });
    }
  }
  return [...sums.values()];
}
