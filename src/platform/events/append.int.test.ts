import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Type } from "typebox";
import { systemClock } from "../clock.ts";
import { sql } from "../database/sql.ts";
import { createIds } from "../ids.ts";
import { appender } from "./append.ts";
import { eventType, type EventType } from "./declare.ts";
import { eraseSubject } from "./private.ts";
import { readStream } from "./read.ts";
import { anyType, eventsFixture, type EventsFixture } from "./testing.ts";
import type { NewEvent } from "./types.ts";

let log: EventsFixture;
beforeAll(async () => {
  log = await eventsFixture();
});
afterAll(() => log.close());

interface Row {
  body: string;
  hash: Buffer;
  version: number;
  position: number | null;
}

async function rowOf(id: string): Promise<Row> {
  return log.database.system((db) => db.one<Row>(sql`select body, hash, version, position from events.log where id = ${id}`));
}

describe("appending", () => {
  it("stores CloudEvents 1.0 JSON and the SHA-256 of its bytes", async () => {
    const id = await log.append({ subject: "img_1", type: "images.registered", data: { name: "ä\u0000", n: 1 } });
    const row = await rowOf(id);
    expect(JSON.parse(row.body)).toMatchObject({
      specversion: "1.0", id, source: "urn:qinfra:images", type: "images.registered", subject: "img_1", datacontenttype: "application/json",
      data: { name: "ä\u0000", n: 1 }, orgid: log.orgId, actor: "system", operation: "test.append", requestid: "req_1", door: "http", ai: false,
      stream: "img_1", version: 1,
    });
    expect(row.hash).toEqual(createHash("sha256").update(row.body).digest());
    expect(row.position).toBeNull();
  });

  it("counts the versions of a stream, which need not be the subject", async () => {
    const ids = [await log.append({ subject: "a", stream: "s" }), await log.append({ subject: "b", stream: "s" })];
    expect(await Promise.all(ids.map(async (id) => (await rowOf(id)).version))).toEqual([1, 2]);
    const stream = await log.database.tenant(log.orgId, (db) => readStream(db, log.orgId, "s", 1, 10));
    expect(stream).toMatchObject([{ subject: "b", version: 2 }]);
  });

  it.each([
    ["a new stream", undefined, 0, true],
    ["a stream that is there already", 1, 0, false],
    ["the version that it has", 1, 1, true],
    ["an older version", 2, 1, false],
    ["a version that is not there yet", 1, 2, false],
    ["a stream that is not there", undefined, 1, false],
  ])("compares the expected version: %s", async (name, present, expectedVersion, fits) => {
    for (let version = 0; version < (present ?? 0); version++) await log.append({ subject: name });
    const appended = log.append({ subject: name, expectedVersion });
    if (fits) return void (await expect(appended).resolves.toEqual(expect.any(String)));
    await expect(appended).rejects.toMatchObject({ type: { code: "conflict" }, data: { stream: name, expectedVersion } });
  });

  it("lets one of many through that expect the same version", async () => {
    await log.append({ subject: "race" });
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => log.append({ subject: "race", expectedVersion: 1 })));
    expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).toHaveLength(1);
  });

  it("keeps nothing of a transaction that fails", async () => {
    let id = "";
    await expect(log.database.tenant(log.orgId, async (db) => {
      id = await log.on(db).append({ type: anyType("tests.happened"), subject: "undone", data: {} });
      throw new Error("no");
    })).rejects.toThrow("no");
    expect(await log.database.system((db) => db.maybe(sql`select 1 from events.log where id = ${id}`))).toBeUndefined();
  });

  it("refuses what no module lists, and what is not as its type is declared, and keeps nothing of either", async () => {
    const Listed = eventType({ type: "tests.listed", summary: "Listed", permission: "tests:read", data: { n: Type.Integer() } });
    const Other = eventType({ type: "tests.listed", summary: "Another of this name", permission: "tests:read", data: {} });
    const types = new Map([["tests.listed", Listed as EventType]]);
    const appended = (event: NewEvent): Promise<string> => log.database.tenant(log.orgId, (db) => appender(db, {
      orgId: log.orgId, actor: "system", operation: "test", requestId: "req_1", door: "http", ai: false, clock: systemClock, ids: createIds(systemClock), privateBodies: log.privateBodies, types,
    }).append(event));
    await expect(appended({ type: anyType("tests.unlisted"), subject: "listed", data: {} })).rejects.toThrow("no module lists the type tests.unlisted");
    await expect(appended({ type: Other, subject: "listed", data: {} })).rejects.toThrow("no module lists the type tests.listed");
    await expect(appended({ type: Listed as EventType, subject: "listed", data: { n: "1" } })).rejects.toThrow("data/n must be integer");
    await appended({ type: Listed as EventType, subject: "listed", data: { n: 1 } });
    expect(await log.database.tenant(log.orgId, (db) => readStream(db, log.orgId, "listed", 0, 10))).toMatchObject([{ data: { n: 1 } }]);
  });

  it("refuses a body that belongs into a blob", async () => {
    await expect(log.append({ data: { text: "x".repeat(70_000) } })).rejects.toThrow("put its data into a blob");
  });
});

describe("who may do what", () => {
  it("shows another organization nothing and takes nothing for it", async () => {
    await log.append({ private: { subjectId: "usr_1", body: { name: "Ada" } } });
    const seen = await log.database.tenant(log.otherOrgId, (db) => db.one<Record<string, number>>(sql`
      select (select count(*) from events.log) as log, (select count(*) from events.streams) as streams,
        (select count(*) from events.private) as private, (select count(*) from events.subject_keys) as keys`));
    expect(seen).toEqual({ log: 0, streams: 0, private: 0, keys: 0 });
    await expect(log.database.tenant(log.otherOrgId, (db) => log.on(db, log.orgId).append({ type: anyType("tests.happened"), subject: "x", data: {} }))).rejects.toMatchObject({ code: "42501" });
  });

  it.each([
    ["change a body", "update events.log set body = '{}'"],
    ["take a position", "update events.log set position = 1"],
    ["delete an event", "delete from events.log"],
    ["empty the log", "truncate events.log"],
    ["read a partition by itself", "select * from events.log_default"],
    ["seal", "select events.seal(0, '{}', '{}', '{}', '{}', '{}', '{}', '{}')"],
    ["move a checkpoint", "update events.subscriptions set position = 9"],
    ["forget what was handled", "delete from events.handled"],
    ["insert a sealed event", "insert into events.log (id, position) values (gen_random_uuid(), 1)"],
    ["sign", "insert into events.checkpoints (org_id) values (gen_random_uuid())"],
  ])("does not let the application %s", async (_what, statement) => {
    await expect(log.database.tenant(log.orgId, (db) => db.run({ text: statement, values: [] }))).rejects.toMatchObject({ code: "42501" });
  });
});

describe("private bodies", () => {
  it("are encrypted, bound to the event by a keyed hash, and gone with the subject's key", async () => {
    const id = await log.append({ private: { subjectId: "usr_2", body: { address: "192.0.2.7" } } });
    const open = (): Promise<unknown> => log.database.tenant(log.orgId, (db) => log.privateBodies.open(db, log.orgId, id));
    expect(await open()).toEqual({ address: "192.0.2.7" });
    const stored = await log.database.system((db) => db.one<{ text: string }>(sql`select p.body || l.body as text from events.private p join events.log l on l.id = p.event_id where l.id = ${id}`));
    expect(stored.text).not.toContain("192.0.2.7");
    expect((JSON.parse((await rowOf(id)).body) as { privatehash: string }).privatehash).toMatch(/^[0-9a-f]{64}$/);

    expect(await log.database.tenant(log.orgId, (db) => eraseSubject(db, log.orgId, "usr_2"))).toBe(true);
    expect(await open()).toBeUndefined();
  });

  it("of one subject share its key, also when two come at once", async () => {
    const ids = await Promise.all([1, 2, 3, 4].map((n) => log.append({ subject: `p${n}`, private: { subjectId: "usr_3", body: { n } } })));
    const bodies = await log.database.tenant(log.orgId, async (db) => {
      const opened = [];
      for (const id of ids) opened.push(await log.privateBodies.open(db, log.orgId, id));
      return opened;
    });
    expect(bodies).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
  });
});
