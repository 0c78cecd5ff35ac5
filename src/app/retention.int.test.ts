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

it("refuses a table that no rule is for, and says which there are", () => {
  expect(() => checkRetention({ "events.log": 13, "events.dead_letters": 1 })).not.toThrow();
  expect(() => checkRetention({ "images.golden_images": 13 })).toThrow(expect.objectContaining({ type: RetentionUnknown, message: expect.stringMatching(/images.golden_images is not one of these: .*events.log/) }));
});
