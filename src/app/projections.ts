import type { Logger } from "pino";
import { timestamp, type Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { createArchive, projectionStates, startProjections, type CheckpointBlobs, type Line, type ProjectionState, type Projections, type Timer } from "../platform/events/index.ts";
import type { Module } from "../platform/operation/registry.ts";
import type { Metrics } from "../platform/telemetry/metrics.ts";

export interface ProjectionPorts {
  database: Database;
  clock: Clock;
  timer: Timer;
  line: Line;
  log: Logger;
  random(): number;
  metrics: Metrics;
  /** Those that hold retired events. */
  blobs: Pick<CheckpointBlobs, "read">;
  modules: readonly Module[];
}

/** A position of the log is in a file of each organization that had events then, so that more are kept than one reader needs. */
const keptFiles = 16;
const sampledMs = 1_000;

/** Keeps the projections of all modules, and says in the metrics how far they are. */
export function openProjections({ modules, metrics, blobs, ...ports }: ProjectionPorts): Projections {
  const { database, clock } = ports;
  const projections = modules.flatMap((module) => module.projections ?? []);
  const known = new Set(projections.map(({ id }): string => id));
  let sampled: { at: number; states: Promise<readonly ProjectionState[]> } | undefined;

  /** Once for all metrics of a scrape; none while the database is away. */
  function states(): Promise<readonly ProjectionState[]> {
    if (sampled === undefined || Math.abs(clock.now() - sampled.at) > sampledMs) {
      sampled = { at: clock.now(), states: database.system((db) => projectionStates(db, timestamp(clock))).then((all) => all.filter(({ name }) => known.has(name)), () => []) };
    }
    return sampled.states;
  }

  function gauge(name: string, help: string, value: (state: ProjectionState) => number): void {
    metrics.gauges(name, help, "projection", async () => new Map((await states()).map((state) => [state.name, value(state)])));
  }

  gauge("qinfra_projection_lag_events", "Events of the log that a projection has not looked at", ({ head, position }) => Math.max(0, head - position));
  gauge("qinfra_projection_lag_seconds", "Age of the oldest event that a projection has not looked at", ({ lagSeconds }) => lagSeconds);
  gauge("qinfra_projection_failing", "1 where the next events cannot be counted into a projection", ({ problem }) => (problem === null ? 0 : 1));
  gauge("qinfra_projection_rebuilding", "1 where a projection is being built anew", ({ next_build: next }) => (next === null ? 0 : 1));

  return startProjections({
    ...ports, archive: createArchive(blobs, keptFiles), projections,
    applied: (projection, events) => metrics.projectionEvents.inc({ projection }, events),
  });
}
