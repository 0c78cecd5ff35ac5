import { afterAll, beforeAll, expect, it } from "vitest";
import { createIds } from "../platform/ids.ts";
import { eventsFixture, silent, testEvent, type EventsFixture } from "../platform/events/testing.ts";
import { appender, systemTimer } from "../platform/events/index.ts";
import { sql } from "../platform/database/sql.ts";
import { checkRetention, createRetention, RetentionUnknown, type Retention } from "./retention.ts";

let log: EventsFixture;
const then = { now: () => Date.parse("2025-01-10T00:00:00Z") };
const now = { now: () => Date.parse("2026-11-21T00:00:00Z") };
beforeAll(async () => {
  log = await eventsFixture();
  for (const subject of ["tst_1", "tst_2"]) {
    await log.database.tenant(log.orgId, (db) => appender(db, {
      orgId: log.orgId, actor: "system", operation: "test.append", requestId: "req_1", door: "http", ai: false, clock: then, ids: createIds(then), privateBodies: log.privateBodies,
    }).append(testEvent({ subject })));
  }
  const sealer = log.sealer();
  await log.sealedUpTo(2);
  await sealer.stop();
  await log.checkpointer().run();
  await log.database.system((db) => db.run(sql`insert into events.dead_letters
    select 'tests.reader', id, org_id, position, 5, 'it did not work', time from events.log where position = 1`));
});
afterAll(() => log.close());

const retention = (policy: Record<string, number>): Retention => createRetention({ database: log.database, blobs: log.blobs, clock: now, timer: systemTimer, log: silent, policy, folds: [] });
const counts = () => log.database.system((db) => db.one<{ events: number; parked: number }>(sql`select (select count(*) from events.log) as events, (select count(*) from events.dead_letters) as parked`));

it("does what the policy says, table by table, and says what had to stay", async () => {
  const nothing = retention({});
  await nothing.run(new AbortController().signal);
  expect(await counts()).toEqual({ events: 2, parked: 1 });

  const only = retention({ "events.log": 13 });
  await only.run(new AbortController().signal);
  expect(only.kept()).toEqual([{ partition: "log_default_202501", why: expect.stringContaining("is parked at tests.reader") }]);
  expect(await counts()).toEqual({ events: 2, parked: 1 });

  const stopped = retention({ "events.dead_letters": 12 });
  await stopped.run(AbortSignal.abort());
  expect(await counts()).toEqual({ events: 2, parked: 1 });

  const both = retention({ "events.log": 13, "events.dead_letters": 12 });
  await both.run(new AbortController().signal);
  expect(both.kept()).toEqual([]);
  expect(await counts()).toEqual({ events: 0, parked: 0 });
});

it("removes runs of workflows that were over for longer than the policy says, with those that they started", async () => {
  const ids = createIds(then);
  type Kept = { ended: string | null; forgotten: boolean; parent?: string };
  const recent = "2026-10-01";
  const cases: Record<string, Kept> = {
    old: { ended: "2025-01-10", forgotten: true }, "child of old": { ended: recent, forgotten: true, parent: "old" },
    recent: { ended: recent, forgotten: true },
    "known to the engine": { ended: "2025-01-10", forgotten: false },
    running: { ended: null, forgotten: false },
    "parent of one that runs": { ended: "2025-01-10", forgotten: true }, between: { ended: "2025-01-10", forgotten: true, parent: "parent of one that runs" },
    "one that runs": { ended: null, forgotten: false, parent: "between" },
  };
  const names = new Map<string, string>();
  await log.database.tenant(log.orgId, async (db) => {
    for (const [name, { ended, forgotten, parent }] of Object.entries(cases)) {
      const id = ids.uuid();
      names.set(name, id);
      await db.run(sql`
        insert into platform.workflow_runs (org_id, id, workflow, state, input, actor, parent_id, parent_seq, created_at, ended_at, forgotten_at)
        values (${log.orgId}, ${id}, 'test.plain', ${ended === null ? "running" : "succeeded"}, '{}', '{}', ${names.get(parent ?? "") ?? null}, ${parent === undefined ? null : 1}, '2025-01-09',
          ${ended}, ${forgotten ? ended : null})`);
      await db.run(sql`insert into platform.workflow_steps (org_id, run_id, seq, step, attempt, input, started_at, ended_at) values (${log.orgId}, ${id}, 1, 'test.write', 1, '{}', '2025-01-09', '2025-01-09')`);
    }
  });
  await retention({ "platform.workflow_runs": 12 }).run(new AbortController().signal);
  const left = await log.database.tenant(log.orgId, (db) => db.many<{ id: string }>(sql`select r.id from platform.workflow_runs r join platform.workflow_steps s on s.run_id = r.id order by r.id`));
  const nameOf = new Map([...names].map(([name, id]) => [id, name]));
  expect(left.map(({ id }) => nameOf.get(id))).toEqual(Object.keys(cases).filter((name) => !name.endsWith("old")));
});

it("refuses a table that no rule is for, and says which there are", () => {
  expect(() => checkRetention({ "events.log": 13, "events.dead_letters": 1 })).not.toThrow();
  expect(() => checkRetention({ "images.golden_images": 13 })).toThrow(expect.objectContaining({ type: RetentionUnknown, message: expect.stringMatching(/images.golden_images is not one of these: .*events.log/) }));
});
