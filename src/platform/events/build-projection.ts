import { sql } from "../database/sql.ts";
import type { Logger } from "pino";
import { timestamp, type Clock } from "../clock.ts";
import type { Projection } from "./projection.ts";
import {
  digestOf, insertBuild, moveBuild, noteRemoved, openBuilds, removeRows, switchBuilds, takeUpBuild, cancelBuild, type Build,
} from "./projection-store.ts";
import { headPosition } from "./read.ts";
import { readWholeByPosition, type WholePositionsPorts } from "./whole-positions.ts";

export interface BuildPorts extends WholePositionsPorts {
  clock: Clock;
  log: Logger;
  /** Events of one transaction. */
  pageSize?: number;
  /** Told of events whose effect was committed. */
  applied?(projection: string, events: number): void;
}

const usualPage = 500;
const removeLimit = 5_000;

/** Thrown to undo a transaction where somebody else moved, cancelled or switched the build meanwhile. */
export class BuildMoved extends Error {}

/** The builds as this server's code wants them: a first one, and a new one beside an active one of older code. */
export async function settledBuilds({ database, clock, log }: BuildPorts, { id: name, version }: Projection): Promise<Build[]> {
  let builds = await database.system((db) => openBuilds(db, name));
  for (;;) {
    const active = builds.find(({ state }) => state === "active");
    const building = builds.find(({ state }) => state === "building");
    const at = timestamp(clock);
    if (active === undefined) {
      await database.system((db) => insertBuild(db, { name, version, state: "active", reason: "first", at }));
    } else if (building?.version === 0) {
      await database.system((db) => takeUpBuild(db, building, version));
    } else if (building !== undefined && building.version < version) {
      // Its rows follow from older code.
      await database.system((db) => cancelBuild(db, name, at));
      if (building.reason === "asked") await database.system((db) => insertBuild(db, { name, version, state: "building", reason: "asked", at }));
    } else if (building === undefined && active.version < version) {
      log.info({ projection: name, from: active.version, to: version }, "a projection is built anew, because its code changed");
      await database.system((db) => insertBuild(db, { name, version, state: "building", reason: "version", at }));
    } else {
      return builds;
    }
    builds = await database.system((db) => openBuilds(db, name));
  }
}

/** One page further, its effect and the checkpoint in one transaction; the same build where there was nothing to read. */
export async function advance(ports: BuildPorts, projection: Projection, build: Build, upTo?: number): Promise<Build> {
  const { database, clock, pageSize = usualPage } = ports;
  const { events, end } = await readWholeByPosition(ports, build.position, { types: projection.on, limit: pageSize, ...(upTo === undefined ? {} : { upTo }) });
  if (end === build.position) return build;
  await database.system(async (db) => {
    // First, so that a second writer waits here for our commit and then finds it moved.
    if (!(await moveBuild(db, build, { position: end, applied: events.length, at: timestamp(clock) }))) throw new BuildMoved();
    if (events.length > 0) await projection.apply(db, build.build, events);
  });
  ports.applied?.(projection.id, events.length);
  return { ...build, position: end, applied: build.applied + events.length };
}

/**
 * One page of a build that is to take the place of `active`, or the change itself, in one transaction, once it has caught
 * up. Where the same code made both, it stops exactly where the active one is, so that both are compared before.
 */
export async function buildBeside(ports: BuildPorts, projection: Projection, active: Build, build: Build): Promise<boolean> {
  const { database, clock, log } = ports;
  const same = active.version === projection.version;
  const moved = await advance(ports, projection, build, same ? active.position : undefined);
  if (moved.position !== build.position) return true;
  const caughtUp = same ? build.position === active.position : build.position >= (await database.system(headPosition));
  if (!caughtUp) return false;
  const matches = same ? await compare(ports, projection, active, build) : null;
  await database.system(async (db) => {
    if (!(await switchBuilds(db, active, build, { matches, at: timestamp(clock) }))) throw new BuildMoved();
  });
  if (matches === false) log.error({ projection: projection.id, build: build.build }, "a projection was built anew and is not what it was before; the new build is read now");
  log.info({ projection: projection.id, build: build.build, events: build.applied, matches }, "a projection was built anew");
  return true;
}

/** Undefined where the comparison itself failed: that is no reason to keep the old build. */
async function compare({ database, log }: BuildPorts, { id, tables }: Projection, active: Build, build: Build): Promise<boolean | null> {
  try {
    return await database.system(async (db) => {
      await db.run(sql`set transaction isolation level repeatable read`);
      return (await digestOf(db, tables, active.build)) === (await digestOf(db, tables, build.build));
    });
  } catch (error) {
    log.warn({ err: error, projection: id }, "two builds of a projection could not be compared");
    return null;
  }
}

/** Removes a batch of the rows of a build that is read no more; false once nothing is left to do. */
export async function removeBuild({ database }: BuildPorts, { tables }: Projection, build: Build): Promise<boolean> {
  for (const table of tables) {
    if ((await database.system((db) => removeRows(db, table, build.build, removeLimit))) > 0) return true;
  }
  await database.system((db) => noteRemoved(db, build));
  return false;
}
