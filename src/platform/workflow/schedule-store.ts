import type { Db } from "../database/database.ts";
import { sql } from "../database/sql.ts";
import type { Starter } from "./types.ts";

export const overlaps = ["skip", "wait", "allow", "cancel"] as const;
export type Overlap = (typeof overlaps)[number];

export interface ScheduleRow {
  org_id: string;
  id: string;
  name: string;
  workflow: string;
  input: unknown;
  cron: string;
  time_zone: string;
  overlap: Overlap;
  catch_up_seconds: number;
  paused: boolean;
  next_at: Date | null;
  actor: Starter;
  created_at: Date;
}

const columns = sql`select org_id, id, name, workflow, input, cron, time_zone, overlap, catch_up_seconds, paused, next_at, actor, created_at from platform.workflow_schedules`;

/** Across tenants: what is due, locked until the end of the transaction. */
export function dueSchedule(db: Db, workflows: readonly string[], now: string): Promise<ScheduleRow | undefined> {
  return db.maybe(sql`${columns} where not paused and next_at <= ${now} and workflow = any(${workflows}) order by next_at limit 1 for update skip locked`);
}

export async function setNext(db: Db, { org_id, id }: Pick<ScheduleRow, "org_id" | "id">, next: string | null): Promise<void> {
  await db.run(sql`update platform.workflow_schedules set next_at = ${next} where org_id = ${org_id} and id = ${id}`);
}

/** Runs of a schedule that are not over, the oldest first. */
export function openRunsOf(db: Db, { org_id, id }: Pick<ScheduleRow, "org_id" | "id">): Promise<{ id: string; state: string }[]> {
  return db.many(sql`select id, state from platform.workflow_runs where org_id = ${org_id} and schedule_id = ${id} and state in ('waiting', 'running') order by id`);
}

/** Of one organization, by name. */
export function listSchedules(db: Db, { after, limit }: { after?: string; limit: number }): Promise<ScheduleRow[]> {
  return db.many(sql`${columns} where (${after ?? null}::text is null or name > ${after ?? null}) order by name limit ${limit}`);
}

export function scheduleById(db: Db, id: string): Promise<ScheduleRow | undefined> {
  return db.maybe(sql`${columns} where id = ${id}`);
}

/** False where the name is taken. */
export async function insertSchedule(db: Db, row: Omit<ScheduleRow, "next_at" | "created_at"> & { next: string | null; at: string }): Promise<boolean> {
  const inserted = await db.run(sql`
    insert into platform.workflow_schedules (org_id, id, name, workflow, input, cron, time_zone, overlap, catch_up_seconds, paused, next_at, actor, created_at, updated_at)
    values (${row.org_id}, ${row.id}, ${row.name}, ${row.workflow}, ${JSON.stringify(row.input)}, ${row.cron}, ${row.time_zone}, ${row.overlap}, ${row.catch_up_seconds},
      ${row.paused}, ${row.next}, ${JSON.stringify(row.actor)}, ${row.at}, ${row.at}) on conflict (org_id, name) do nothing`);
  return inserted === 1;
}

export async function updateSchedule(db: Db, row: Pick<ScheduleRow, "id" | "input" | "cron" | "time_zone" | "overlap" | "catch_up_seconds" | "paused" | "actor"> & { next: string | null; at: string }): Promise<void> {
  await db.run(sql`
    update platform.workflow_schedules set input = ${JSON.stringify(row.input)}, cron = ${row.cron}, time_zone = ${row.time_zone}, overlap = ${row.overlap},
      catch_up_seconds = ${row.catch_up_seconds}, paused = ${row.paused}, next_at = ${row.next}, actor = ${JSON.stringify(row.actor)}, updated_at = ${row.at} where id = ${row.id}`);
}

export async function deleteSchedule(db: Db, id: string): Promise<boolean> {
  return (await db.run(sql`delete from platform.workflow_schedules where id = ${id}`)) === 1;
}
