import { sql } from "../database/sql.ts";
import type { Db } from "../database/database.ts";

export type BuildState = "building" | "active" | "removing" | "removed";
export type BuildReason = "first" | "version" | "asked";

/** One build of a projection. */
export interface Build {
  name: string;
  build: number;
  version: number;
  state: BuildState;
  reason: BuildReason;
  position: number;
  applied: number;
  started_at: Date;
  moved_at: Date;
  active_at: Date | null;
  ended_at: Date | null;
  matches: boolean | null;
  problem: string | null;
}

/** Those that are not removed. */
export async function openBuilds(db: Db, name: string): Promise<Build[]> {
  return db.many<Build>(sql`
    select name, build, version, state, reason, position, applied, started_at, moved_at, active_at, ended_at, matches, problem
    from events.projections where name = ${name} and state <> 'removed' order by build`);
}

/** Nothing happens where there is one in that state already. */
export async function insertBuild(db: Db, { name, version, state, reason, at }: Pick<Build, "name" | "version" | "reason"> & { state: "active" | "building"; at: string }): Promise<boolean> {
  return 1 === await db.run(sql`
    insert into events.projections (name, build, version, state, reason, position, started_at, moved_at, active_at)
    select ${name}, coalesce(max(build), 0) + 1, ${version}, ${state}, ${reason}, 0, ${at}, ${at}, ${state === "active" ? at : null}
    from events.projections where name = ${name}
    on conflict do nothing`);
}

/** Asks for a new build, which the server that writes the projection makes. False where one is under way. */
export function askBuild(db: Db, name: string, at: string): Promise<boolean> {
  return insertBuild(db, { name, version: 0, state: "building", reason: "asked", at });
}

/** A build that was asked for gets the version of the server that makes it. */
export async function takeUpBuild(db: Db, { name, build }: Pick<Build, "name" | "build">, version: number): Promise<boolean> {
  return 1 === await db.run(sql`
    update events.projections set version = ${version} where name = ${name} and build = ${build} and version = 0 and state = 'building'`);
}

/** The checkpoint, from where the writer believes it to be; false where somebody else moved or ended it. Holds its row until the transaction ends. */
export async function moveBuild(db: Db, { name, build, position, state }: Build, to: { position: number; applied: number; at: string }): Promise<boolean> {
  return 1 === await db.run(sql`
    update events.projections set position = ${to.position}, applied = applied + ${to.applied}, moved_at = ${to.at}, problem = null
    where name = ${name} and build = ${build} and position = ${position} and state = ${state}`);
}

export async function noteProblem(db: Db, { name, build }: Pick<Build, "name" | "build">, problem: string): Promise<void> {
  await db.run(sql`update events.projections set problem = ${problem} where name = ${name} and build = ${build}`);
}

/** From here on `next` is read, and `active` is removed. False where either is not as it was meanwhile. */
export async function switchBuilds(db: Db, active: Build, next: Build, { matches, at }: { matches: boolean | null; at: string }): Promise<boolean> {
  // The old one first: there is never more than one that is active.
  const ended = await db.run(sql`
    update events.projections set state = 'removing', ended_at = ${at}
    where name = ${active.name} and build = ${active.build} and state = 'active' and position = ${active.position}`);
  if (ended !== 1) return false;
  const begun = await db.run(sql`
    update events.projections set state = 'active', active_at = ${at}, matches = ${matches}, problem = null
    where name = ${next.name} and build = ${next.build} and state = 'building' and position = ${next.position}`);
  return begun === 1;
}

/** Whether there was one under way. */
export async function cancelBuild(db: Db, name: string, at: string): Promise<boolean> {
  return 1 === await db.run(sql`update events.projections set state = 'removing', ended_at = ${at} where name = ${name} and state = 'building'`);
}

export async function noteRemoved(db: Db, { name, build }: Pick<Build, "name" | "build">): Promise<void> {
  await db.run(sql`update events.projections set state = 'removed' where name = ${name} and build = ${build} and state = 'removing'`);
}

export async function removeRows(db: Db, table: string, build: number, limit: number): Promise<number> {
  return (await db.one<{ removed: number }>(sql`select events.remove_build(${table}::text::regclass, ${build}, ${limit}) as removed`)).removed;
}

/** Equal where two builds hold the same rows. */
export async function digestOf(db: Db, tables: readonly string[], build: number): Promise<string> {
  const digests = [];
  for (const table of tables) {
    const { held, digest } = await db.one<{ held: number; digest: string }>(sql`select held, digest from events.build_digest(${table}::text::regclass, ${build})`);
    digests.push(`${table} ${held} ${digest}`);
  }
  return digests.join(", ");
}
