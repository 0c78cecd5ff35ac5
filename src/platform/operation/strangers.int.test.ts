import { pino } from "pino";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { sql } from "../database/sql.ts";
import { appender } from "../events/index.ts";
import { eventsFixture, type EventsFixture } from "../events/testing.ts";
import { createIds } from "../ids.ts";
import { createStrangers, type Strangers } from "./strangers.ts";

const clock = { time: Date.parse("2026-11-21T10:00:05Z"), now: () => clock.time };
const log = pino({ level: "silent" });
const opened: EventsFixture[] = [];

async function fixture(): Promise<{ events: EventsFixture; server: () => Strangers }> {
  const events = await eventsFixture();
  opened.push(events);
  const ids = createIds(clock);
  const server = () => createStrangers({
    database: events.database, clock, ids, log, platformOrgId: events.orgId,
    appender: (db, { orgId, operation, requestId, door }) => appender(db, { orgId, actor: "system", operation, requestId, door, ai: false, clock, ids, privateBodies: events.privateBodies }),
  });
  return { events, server };
}

async function recorded({ database, orgId, privateBodies }: EventsFixture): Promise<Record<string, unknown>[]> {
  return database.tenant(orgId, async (db) => {
    const rows = await db.many<{ id: string; body: string }>(sql`select id, body from events.log where type = 'access.strangers-refused' order by id`);
    const all: Record<string, unknown>[] = [];
    for (const { id, body } of rows) all.push({ ...(JSON.parse(body) as { data: object }).data, ...(await privateBodies.open(db, orgId, id)) });
    return all;
  });
}

beforeEach(() => {
  clock.time = Date.parse("2026-11-21T10:00:05Z");
});
afterAll(async () => {
  for (const one of opened) await one.close();
});

describe("refusals of unknown callers", () => {
  it("become one event for each network, reason and minute, with the counts of all servers", async () => {
    const { events, server } = await fixture();
    const [a, b] = [server(), server()];
    for (let i = 0; i < 3; i++) a.note("192.0.2.1", "api-key");
    a.note("2001:db8::1", "token");
    b.note("192.0.2.1", "api-key");
    b.note("2001:db8::2", "token");
    await a.flush();
    await b.flush();
    expect(await recorded(events)).toEqual([]);
    clock.time += 3 * 60_000;
    await Promise.all([a.flush(), b.flush()]);
    const all = await recorded(events);
    expect(all).toHaveLength(2);
    expect(all).toContainEqual({ reason: "api-key", minute: "2026-11-21T10:00:00.000Z", count: 4, network: "192.0.2.1" });
    expect(all).toContainEqual({ reason: "token", minute: "2026-11-21T10:00:00.000Z", count: 2, network: "2001:db8:0:0::/64" });
    await a.stop();
    await b.stop();
  });

  it("are few, however many networks there are", async () => {
    const { events, server } = await fixture();
    const strangers = server();
    for (let i = 0; i < 3_000; i++) {
      strangers.note(`198.51.${i >> 8}.${i & 255}`, "nothing");
      if (i % 500 === 0) await strangers.flush();
    }
    await strangers.flush();
    clock.time += 3 * 60_000;
    await strangers.stop();
    const all = await recorded(events);
    expect(all.length).toBeLessThanOrEqual(201);
    expect(all.reduce((sum, one) => sum + (one["count"] as number), 0)).toBe(3_000);
    expect(all.some((one) => one["network"] === "other networks")).toBe(true);
  });
});
