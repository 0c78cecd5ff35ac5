import { timestamp, type Clock } from "../../platform/clock.ts";
import type { Db } from "../../platform/database/database.ts";
import { fail } from "../../platform/errors.ts";
import { projectionStates, type ProjectionState } from "../../platform/events/index.ts";
import { ProjectionNotFound } from "./errors.ts";
import type { Projection } from "./schemas.ts";

export async function allProjections(db: Db, clock: Clock): Promise<Projection[]> {
  return (await projectionStates(db, timestamp(clock))).map(toProjection);
}

/** Errors: ProjectionNotFound. */
export async function projectionByName(db: Db, clock: Clock, name: string): Promise<Projection> {
  const [state] = await projectionStates(db, timestamp(clock), name);
  if (state === undefined) fail(ProjectionNotFound, `There is no projection ${name}; qinfra projections list shows what there is.`);
  return toProjection(state);
}

function toProjection(state: ProjectionState): Projection {
  const { name, version, build, reason, position, head, applied, lagSeconds, active_at: activeAt, matches, problem, removing } = state;
  return {
    name, state: problem !== null ? "failing" : position < head ? "behind" : "current", version, build, reason, position, head, lag: Math.max(0, head - position), lagSeconds,
    events: applied, activeSince: activeAt.toISOString(), matches, problem, rebuild: rebuildOf(state), removing,
  };
}

function rebuildOf({ next_build: build, next_reason: reason, next_position: position, next_started_at: startedAt, next_problem: problem }: ProjectionState): Projection["rebuild"] {
  if (build === null || reason === null || position === null || startedAt === null) return null;
  return { build, reason, position, startedAt: startedAt.toISOString(), problem };
}
