import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sql } from "../database/sql.ts";
import { askRedrive } from "./dead-letters.ts";
import type { Db } from "../database/database.ts";
import { DatabaseUnavailable, DeclaredError } from "../errors.ts";
import { anyType, eventsFixture, until, type EventsFixture } from "./testing.ts";
import { systemTimer } from "./timer.ts";
import type { StoredEvent, Subscription } from "./types.ts";

let log: EventsFixture;
beforeEach(async () => {
  log = await eventsFixture();
  const admin = await log.connect("superuser");
  await admin.query("create table public.effects (org_id uuid, event_id uuid, n serial); grant usage on schema public to qinfra_app, qinfra_system; grant all on public.effects to qinfra_app, qinfra_system; grant all on sequence public.effects_n_seq to qinfra_app");
  await admin.end();
  log.sealer();
});
afterEach(() => log.close());

/** Writes a row for each event; fails as often as it is told to. */
function recorder(options: { failures?: (event: StoredEvent, attempt: number) => unknown; id?: string; on?: string[] } = {}): Subscription & { attempts: Map<string, number> } {
  const attempts = new Map<string, number>();
  return {
    id: options.id ?? "tests.record", on: options.on ?? ["tests.happened"], attempts,
    async handle({ db }, event) {
      const attempt = (attempts.get(event.id) ?? 0) + 1;
      attempts.set(event.id, attempt);
      await effect(db, event);
      const failure = options.failures?.(event, attempt);
      if (failure !== undefined) throw failure;
    },
  };
}

async function effect(db: Db, event: StoredEvent): Promise<void> {
  await db.run(sql`insert into public.effects (org_id, event_id) values (${event.orgId}, ${event.id})`);
}

async function effects(): Promise<string[]> {
  return (await log.database.system((db) => db.many<{ event_id: string }>(sql`select event_id from public.effects order by n`))).map((row) => row.event_id);
}

async function deadLetters(): Promise<{ event_id: string; reason: string; attempts: number }[]> {
  return log.database.system((db) => db.many(sql`select event_id, reason, attempts from events.dead_letters`));
}

describe("subscriptions", () => {
  it("handle what they ask for, in order of position, in a transaction of the event's organization", async () => {
    const orgs: string[] = [];
    const ids = [await log.append(), await log.append({}, log.otherOrgId), await log.append({ type: "tests.other" }), await log.append()];
    log.runner({ subscriptions: [{
      id: "tests.record", on: ["tests.happened"],
      async handle({ db }, event) {
        orgs.push((await db.one<{ org: string }>(sql`select platform.current_org() as org`)).org);
        await effect(db, event);
      },
    }] });
    await until(async () => (await effects()).length === 3);
    expect(await effects()).toEqual([ids[0], ids[1], ids[3]]);
    expect(orgs).toEqual([log.orgId, log.otherOrgId, log.orgId]);
    await until(async () => (await log.database.system((db) => db.one<{ position: number }>(sql`select position from events.subscriptions where name = 'tests.record'`))).position === 4);
  });

  it("are given all types where they ask for them, and pass by without a mark what does not concern them", async () => {
    const ids = [await log.append(), await log.append({ type: "tests.other" }), await log.append({ type: "tests.third" })];
    log.runner({ subscriptions: [{ ...recorder(), on: "all", concerns: async ({ type }) => type !== "tests.other" }] });
    await until(async () => (await effects()).length === 2);
    expect(await effects()).toEqual([ids[0], ids[2]]);
    expect(await log.database.system((db) => db.many(sql`select event_id from events.handled where subscription = 'tests.record' and event_id = ${ids[1]}`))).toEqual([]);
  });

  it("leave one effect of an event that failed twice", async () => {
    const flaky = recorder({ failures: (_event, attempt) => (attempt < 3 ? new Error("not yet") : undefined) });
    log.runner({ subscriptions: [flaky] });
    const waiter = log.waiter();
    const id = await log.append();
    expect(await waiter.wait(id, flaky.id, 10_000)).toBe("handled");
    expect(flaky.attempts.get(id)).toBe(3);
    expect(await effects()).toEqual([id]);
  });

  it("park a poisoned event with its reason, move on, and handle it when it is driven again", async () => {
    let poisoned = true;
    const poison = recorder({ failures: (event) => (event.subject === "bad" && poisoned ? new TypeError("cannot be") : undefined) });
    log.runner({ subscriptions: [poison] });
    const waiter = log.waiter();
    const bad = await log.append({ subject: "bad" });
    const good = await log.append({ subject: "good" });
    expect(await waiter.wait(good, poison.id, 10_000)).toBe("handled");
    expect(await waiter.wait(bad, poison.id, 0)).toBe("failed");
    expect(await deadLetters()).toEqual([{ event_id: bad, reason: "TypeError: cannot be", attempts: 5 }]);
    expect(await effects()).toEqual([good]);

    expect(await log.database.tenant(log.orgId, (db) => askRedrive(db, poison.id, bad))).toBe(1);
    await until(async () => (await deadLetters())[0]?.attempts === 6); // above zero: it failed again, and waits to be asked for once more
    expect(await effects()).toEqual([good]);
    poisoned = false;
    expect(await log.database.tenant(log.otherOrgId, (db) => askRedrive(db, poison.id, bad))).toBe(0);
    expect(await log.database.tenant(log.orgId, (db) => askRedrive(db, poison.id))).toBe(1);
    await until(async () => (await deadLetters()).length === 0);
    expect(await waiter.wait(bad, poison.id, 0)).toBe("handled");
    expect(await effects()).toEqual([good, bad]);
    expect(await log.database.tenant(log.orgId, (db) => askRedrive(db, poison.id, bad))).toBe(0);
  });

  it("have one effect where a server was cut off between the effect of a re-driven event and its end as a dead letter", async () => {
    const never = recorder();
    const [first, second] = [await log.append(), await log.append()];
    await log.sealedCount(2);
    await log.database.system(async (db) => {
      await db.run(sql`insert into events.subscriptions (name, position) values (${never.id}, 2)`);
      await db.run(sql`insert into events.dead_letters select ${never.id}::text, id, org_id, position, -5, 'it did not work', now() from events.log`);
      await db.run(sql`insert into events.handled select ${never.id}::text, id, org_id, now() from events.log where id = ${first}`);
    });
    log.runner({ subscriptions: [never] });
    await until(async () => (await deadLetters()).length === 0);
    expect(await effects()).toEqual([second]);
  });

  it("are driven again in the order of the log, each after what was handled since, and none beside another", async () => {
    const gate = Promise.withResolvers<void>();
    const begun: string[] = [];
    let failing = true;
    let atOnce = 0;
    let most = 0;
    const watched: Subscription = {
      id: "tests.record", on: ["tests.happened"],
      async handle({ db }, event) {
        if (failing && event.subject.startsWith("bad")) throw new Error("not yet");
        begun.push(event.subject);
        most = Math.max(most, (atOnce += 1));
        if (event.subject === "slow") await gate.promise;
        await effect(db, event);
        atOnce -= 1;
      },
    };
    log.runner({ subscriptions: [watched], attempts: 1 });
    for (const subject of ["bad 1", "bad 2", "good"]) await log.append({ subject });
    await until(() => begun.includes("good"));
    failing = false;
    await log.append({ subject: "slow" });
    await until(() => begun.includes("slow"));
    expect(await log.database.tenant(log.orgId, (db) => askRedrive(db, watched.id))).toBe(2);
    gate.resolve();
    await until(async () => (await deadLetters()).length === 0);
    expect([begun, most]).toEqual([["good", "slow", "bad 1", "bad 2"], 1]);
  });

  it("do not count the database's absence as a failure of the event", async () => {
    const away = recorder({ failures: (_event, attempt) => (attempt <= 7 ? new DeclaredError(DatabaseUnavailable) : undefined) });
    log.runner({ subscriptions: [away], timer: { sleep: (ms, signal) => systemTimer.sleep(Math.min(ms, 5), signal) } });
    const id = await log.append();
    expect(await log.waiter().wait(id, away.id, 10_000)).toBe("handled");
    expect(away.attempts.get(id)).toBe(8);
  });

  it("have one effect when two readers race for an event", async () => {
    const gate = Promise.withResolvers<void>();
    const slow: Subscription = {
      id: "tests.record", on: ["tests.happened"],
      async handle({ db }, event) {
        await effect(db, event);
        await gate.promise;
      },
    };
    const first = log.line();
    const runner = log.runner({ subscriptions: [slow], line: first });
    const id = await log.append();
    const inHand = sql`select count(*) as n from pg_stat_activity where state = 'idle in transaction' and query like 'insert into public.effects%'`;
    const admin = await log.connect("superuser");
    await until(async () => Number((await admin.query<{ n: number }>(inHand.text)).rows[0]?.n) === 1);
    // The first reader loses its lock while it is in the middle; a second one begins the same event.
    await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'qinfra direct' and datname = current_database()");
    const second = recorder();
    log.runner({ subscriptions: [second] });
    await until(async () => Number((await admin.query<{ n: number }>("select count(*) as n from pg_stat_activity where wait_event_type = 'Lock' and query like 'insert into events.handled%'")).rows[0]?.n) === 1);
    gate.resolve();
    expect(await log.waiter().wait(id, "tests.record", 10_000)).toBe("handled");
    await runner.stop();
    await admin.end();
    expect(await effects()).toEqual([id]);
    expect(second.attempts.size).toBe(0);
  });

  it("are read by one process at a time", async () => {
    const readers = [recorder(), recorder(), recorder()];
    for (const reader of readers) log.runner({ subscriptions: [reader] });
    const ids = [];
    for (let i = 0; i < 20; i++) ids.push(await log.append());
    await until(async () => (await effects()).length >= 20);
    expect(await effects()).toEqual(ids);
    expect(readers.filter((reader) => reader.attempts.size > 0)).toHaveLength(1);
  });

  it("prepare outside the transaction and may append what follows", async () => {
    const follower: Subscription<number> = {
      id: "tests.follow", on: ["tests.happened"],
      prepare: async (event) => event.version * 10,
      async handle({ events }, event, prepared) {
        await events.append({ type: anyType("tests.followed"), subject: event.subject, data: { prepared } });
      },
    };
    log.runner({ subscriptions: [follower as Subscription] });
    await log.append();
    const [, second] = await log.sealedCount(2);
    expect(second).toMatchObject({ type: "tests.followed", version: 2, operation: "tests.follow", requestId: "req_1", data: { prepared: 10 } });
  });

  it("give up a preparation that takes too long", async () => {
    const stuck: Subscription = {
      id: "tests.stuck", on: ["tests.happened"], prepare: () => new Promise(() => undefined), handle: async () => undefined,
    };
    log.runner({ subscriptions: [stuck], prepareMs: 5 });
    const id = await log.append();
    expect(await log.waiter().wait(id, stuck.id, 10_000)).toBe("failed");
    expect((await deadLetters())[0]?.reason).toContain("not prepared within 5 ms");
  });

  it("forget after a day that they handled what lies behind their checkpoint, and nothing else", async () => {
    const ids = [await log.append({ type: "tests.other" }), await log.append({ type: "tests.other" }), await log.append({ type: "tests.other" })];
    await log.sealedCount(3);
    const [old, ahead, fresh] = ids;
    await log.database.system(async (db) => {
      await db.run(sql`insert into events.subscriptions (name, position) values ('tests.record', 1), ('tests.gone', 3)`);
      for (const [name, id, at] of [["tests.record", old, "2020-01-01"], ["tests.record", ahead, "2020-01-01"], ["tests.gone", fresh, new Date().toISOString()]]) {
        await db.run(sql`insert into events.handled (subscription, event_id, org_id, at) values (${name}, ${id}, ${log.orgId}, ${at})`);
      }
    });
    log.runner({ subscriptions: [] });
    const left = async (): Promise<string[]> => (await log.database.system((db) => db.many<{ event_id: string }>(sql`select event_id from events.handled order by event_id`))).map((row) => row.event_id);
    await until(async () => !(await left()).includes(old ?? ""));
    expect(await left()).toEqual([ahead, fresh]);
  });

  it("stop after the event in hand and go on from there", async () => {
    const started = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const runner = log.runner({ subscriptions: [{
      id: "tests.record", on: ["tests.happened"],
      async handle({ db }, event) {
        started.resolve();
        await gate.promise;
        await effect(db, event);
      },
    }] });
    const first = await log.append();
    const second = await log.append();
    await started.promise;
    const stopped = runner.stop();
    gate.resolve();
    await stopped;
    expect(await effects()).toEqual([first]);

    log.runner({ subscriptions: [recorder()] });
    await until(async () => (await effects()).length === 2);
    expect(await effects()).toEqual([first, second]);
  });
});

describe("waiting", () => {
  it("answers pending at the time limit, for an event that nobody reads and for one that does not exist", async () => {
    const waiter = log.waiter();
    expect(await waiter.wait(await log.append(), "tests.nobody", 20)).toBe("pending");
    expect(await waiter.wait("0193b5a0-0000-7000-8000-000000000001", "tests.nobody", 20)).toBe("pending");
  });

  it.each(["the same process", "another process"])("is woken at once in %s", async (where) => {
    const local = log.waiter();
    const gate = Promise.withResolvers<void>();
    const slow: Subscription = { id: "tests.slow", on: ["tests.happened"], handle: () => gate.promise };
    log.runner({ subscriptions: [slow], ...(where === "the same process" ? { waiter: local } : {}) });
    // Polls are so far apart here that only the wake can end the wait in time.
    const waiter = where === "the same process" ? local : log.waiter();
    const id = await log.append();
    const before = performance.now();
    const waiting = waiter.wait(id, slow.id, 10_000);
    await until(async () => Number((await log.database.system((db) => db.one<{ n: number }>(sql`select count(*) as n from events.log where position is not null`))).n) === 1);
    gate.resolve();
    expect(await waiting).toBe("handled");
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  it("knows an event behind the checkpoint as handled when its mark is gone", async () => {
    const reader = recorder();
    log.runner({ subscriptions: [reader] });
    const waiter = log.waiter();
    const id = await log.append();
    expect(await waiter.wait(id, reader.id, 10_000)).toBe("handled");
    await log.append({ type: "tests.other" });
    await until(async () => (await log.database.system((db) => db.one<{ position: number }>(sql`select position from events.subscriptions`))).position >= 1);
    await log.database.system((db) => db.run(sql`delete from events.handled`));
    expect(await waiter.wait(id, reader.id, 0)).toBe("handled");
  });
});
