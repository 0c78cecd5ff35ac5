import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import { severities, type Counts, type Exposure, type Kind } from "./domain/exposure.ts";
import type { DayChange } from "./projections.ts";

// Written by projections alone, for the events of any organization at once: each row says whose it is.

export async function addActivity(db: Db, build: number, changes: readonly DayChange[]): Promise<void> {
  if (changes.length === 0) return;
  const { orgs, metrics, days, values } = columnsOf(changes);
  await db.run(sql`
    insert into analytics.activity as s (org_id, build, metric, day, value)
    select org_id, ${build}::integer, metric, day, value from unnest(${orgs}::uuid[], ${metrics}::text[], ${days}::date[], ${values}::bigint[]) as u (org_id, metric, day, value)
    on conflict (org_id, build, metric, day) do update set value = s.value + excluded.value`);
}

export async function addExposure(db: Db, build: number, changes: readonly DayChange[]): Promise<void> {
  if (changes.length === 0) return;
  const { orgs, metrics, days, values } = columnsOf(changes);
  await db.run(sql`
    insert into analytics.exposure as s (org_id, build, metric, day, value)
    select org_id, ${build}::integer, metric, day, value from unnest(${orgs}::uuid[], ${metrics}::text[], ${days}::date[], ${values}::bigint[]) as u (org_id, metric, day, value)
    on conflict (org_id, build, metric, day) do update set value = s.value + excluded.value`);
}

function columnsOf(changes: readonly DayChange[]): { orgs: string[]; metrics: string[]; days: string[]; values: number[] } {
  return {
    orgs: changes.map(({ orgId }) => orgId), metrics: changes.map(({ metric }) => metric), days: changes.map(({ day }) => day), values: changes.map(({ by }) => by),
  };
}

interface TargetRow {
  target: string;
  kind: Kind;
  counted: string | null;
  pending: string | null;
}

type SetRow = { component_set: string; assets: number; images: number } & Counts;

/** The targets, those that wait for one of the sets, the sets, and those that the targets count. */
export async function loadExposure(db: Db, build: number, orgId: string, { targets, sets }: { targets: readonly string[]; sets: readonly string[] }): Promise<Exposure> {
  const targetRows = await db.many<TargetRow>(sql`
    select target, kind, counted, pending from analytics.exposed_targets where org_id = ${orgId} and build = ${build} and target = any(${targets})
    union select target, kind, counted, pending from analytics.exposed_targets where org_id = ${orgId} and build = ${build} and pending = any(${sets})`);
  const all = [...new Set([...sets, ...targetRows.flatMap(({ counted }) => (counted === null ? [] : [counted]))])];
  const setRows = await db.many<SetRow>(sql`
    select component_set, assets, images, critical, high, medium, low, none, unknown from analytics.exposed_sets
    where org_id = ${orgId} and build = ${build} and component_set = any(${all})`);
  return {
    targets: new Map(targetRows.map(({ target, kind, counted, pending }) => [target, { kind, counted, pending }])),
    sets: new Map(setRows.map(({ component_set: set, assets, images, ...counts }) => [set, { assets, images, counts }])),
  };
}

export async function saveExposure(db: Db, build: number, orgId: string, state: Exposure): Promise<void> {
  const gone = [...state.targets].flatMap(([target, known]) => (known === undefined ? [target] : []));
  if (gone.length > 0) await db.run(sql`delete from analytics.exposed_targets where org_id = ${orgId} and build = ${build} and target = any(${gone})`);
  const kept = [...state.targets].flatMap(([target, known]) => (known === undefined ? [] : [{ target, ...known }]));
  if (kept.length > 0) {
    await db.run(sql`
      insert into analytics.exposed_targets (org_id, build, target, kind, counted, pending)
      select ${orgId}::uuid, ${build}::integer, target, kind, counted, pending from json_to_recordset(${JSON.stringify(kept)}::json) as r(target text, kind text, counted text, pending text)
      on conflict (org_id, build, target) do update set counted = excluded.counted, pending = excluded.pending`);
  }
  const sets = [...state.sets].map(([set, { assets, images, counts }]) => ({ component_set: set, assets, images, ...only(counts) }));
  if (sets.length > 0) {
    await db.run(sql`
      insert into analytics.exposed_sets (org_id, build, component_set, assets, images, critical, high, medium, low, none, unknown)
      select ${orgId}::uuid, ${build}::integer, component_set, assets, images, critical, high, medium, low, none, unknown
      from json_to_recordset(${JSON.stringify(sets)}::json) as r(component_set text, assets integer, images integer, critical integer, high integer, medium integer, low integer, none integer, unknown integer)
      on conflict (org_id, build, component_set) do update set assets = excluded.assets, images = excluded.images,
        critical = excluded.critical, high = excluded.high, medium = excluded.medium, low = excluded.low, none = excluded.none, unknown = excluded.unknown`);
  }
}

function only(counts: Counts): Counts {
  return Object.fromEntries(severities.map((severity) => [severity, counts[severity]])) as Counts;
}
