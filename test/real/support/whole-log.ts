import type pg from "pg";
import { expect, vi } from "vitest";
import { activityProjection, exposureProjection } from "../../../src/modules/analytics/projections.ts";
import type { CloudEvent } from "../../../src/platform/events/cloud-event.ts";
import type { Client } from "./client.ts";
import type { CountedLoad } from "./counted-load.ts";
import { countLog } from "./event-log.ts";

const patience = { timeout: 180_000, interval: 250 };

interface ShownProjection {
  name: string;
  state: string;
  build: number;
  matches: boolean | null;
  rebuild: object | null;
}

/** What the broker's consumers were given, by id: how often. */
export type Heard = ReadonlyMap<string, { event: CloudEvent; times: number }>;

/** Once nobody writes: each acknowledged change has its event once, each event of the log was consumed, and none else. */
export async function expectConsumed(database: pg.Client, load: CountedLoad, heard: Heard): Promise<{ events: number; again: number }> {
  const counts = await vi.waitUntil(async () => {
    const now = await countLog(database);
    return now.unsealed === 0 && now.unhandled === 0 ? now : undefined;
  }, patience);
  expect(counts).toMatchObject({ gaps: 0, sitesNotOnce: 0, matchedTwice: 0, parked: 0, unmatched: 0 });
  const subjects = [...load.acknowledged.keys()];
  const { rows: notOnce } = await database.query<{ subject: string; times: number }>(
    "select a.subject, count(l.id)::int as times from unnest($1::text[], $2::text[]) a(subject, type) left join events.log l using (subject, type) group by a.subject having count(l.id) <> 1",
    [subjects, [...load.acknowledged.values()]],
  );
  expect(notOnce).toEqual([]);
  const inLog = await vi.waitFor(async () => {
    const { rows } = await database.query<{ id: string; type: string }>("select id, type from events.log");
    expect(rows.filter(({ id }) => !heard.has(id))).toEqual([]);
    return new Set(rows.map(({ id }) => id));
  }, patience);
  expect([...heard.keys()].filter((id) => !inLog.has(id))).toEqual([]);
  expect(gaps(heard)).toEqual([]);
  return { events: inLog.size, again: [...heard.values()].filter(({ times }) => times > 1).length };
}

/** Streams of which a version is missing among what was consumed. */
function gaps(heard: Heard): string[] {
  const versions = new Map<string, Set<number>>();
  for (const { event } of heard.values()) {
    const key = `${event.orgid} ${event.stream}`;
    versions.set(key, (versions.get(key) ?? new Set()).add(event.version));
  }
  return [...versions].filter(([, of]) => of.size !== Math.max(...of)).map(([stream]) => stream);
}

/** Chain and signed checkpoints verify, and the rows of each projection are what a rebuild from position 0 makes of the log. */
export async function expectWhole(client: Client, database: pg.Client): Promise<void> {
  expect(await client.call("POST", "/api/v1/audit/verify", {})).toMatchObject({ whole: true, problems: 0, first: null });
  const show = (name: string) => client.call<ShownProjection>("GET", `/api/v1/projections/${name}`);
  const { items } = await client.call<{ items: ShownProjection[] }>("GET", "/api/v1/projections");
  expect(items.map(({ name }) => name).sort()).toEqual(Object.keys(tablesOf).sort());
  for (const { name } of items) {
    const before = await vi.waitUntil(async () => {
      const shown = await show(name);
      return shown.state === "current" ? { shown, rows: await rowsOf(database, name, shown.build) } : undefined;
    }, patience);
    expect(before.rows.flat().length).toBeGreaterThan(0);
    await client.call("POST", `/api/v1/projections/${name}/rebuild`);
    const after = await vi.waitUntil(async () => {
      const shown = await show(name);
      return shown.rebuild === null && shown.build > before.shown.build ? shown : undefined;
    }, patience);
    expect(after).toMatchObject({ matches: true, problem: null });
    expect(await rowsOf(database, name, after.build)).toEqual(before.rows);
  }
}

const tablesOf: Readonly<Record<string, readonly string[]>> = Object.fromEntries([activityProjection, exposureProjection].map(({ id, tables }) => [id, tables]));

/** The rows of a build as text, by table; of a build that is not read any more there may be none. */
async function rowsOf(database: pg.Client, name: string, build: number): Promise<string[][]> {
  const all: string[][] = [];
  for (const table of tablesOf[name] ?? []) {
    const { rows } = await database.query<{ row: string }>(`select (to_jsonb(t) - 'build')::text as row from ${table} t where build = $1 order by 1`, [build]);
    all.push(rows.map(({ row }) => row));
  }
  return all;
}
