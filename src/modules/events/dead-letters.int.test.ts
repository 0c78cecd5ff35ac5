import { Type } from "typebox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testPlatform, type TestPlatform } from "../../app/testing.ts";
import { systemClock } from "../../platform/clock.ts";
import { sql } from "../../platform/database/sql.ts";
import { eventType } from "../../platform/events/declare.ts";
import { createPostgresBus } from "../../platform/events/bus/postgres/postgres-bus.ts";
import { openLine } from "../../platform/events/line.ts";
import { silent, until } from "../../platform/events/testing.ts";
import { systemTimer } from "../../platform/events/timer.ts";
import { operation, type Module } from "../../platform/operation/index.ts";

interface DeadLetter {
  subscription: string;
  event: string;
  type: string;
  subject: string;
  attempts: number;
  reason: string;
  redriving: boolean;
}

const Sent = eventType({ type: "probe.sent", summary: "The probe was sent something", permission: "images:read", data: { n: Type.Integer() } });
const Arrived = eventType({ type: "probe.arrived", summary: "The probe has it", permission: "images:read", data: { n: Type.Integer() } });
let broken = true;

const send = operation({
  id: "probe.send", http: "POST /api/v1/probe/sent", summary: "Send the probe something", permission: "images:build", effect: "change",
  input: Type.Object({ n: Type.Integer() }), output: Type.Object({ event: Type.String() }), examples: [{ input: { n: 1 } }],
  handle: async ({ events }, { n }) => ({ event: await events.append({ type: Sent, subject: `probe_${n}`, data: { n } }) }),
});

const probe: Module = {
  name: "probe", events: [Sent, Arrived], operations: [send],
  subscriptions: () => [{
    id: "probe.receive", on: [Sent.type],
    async handle({ events }, event) {
      const n = Number(event.data["n"]);
      await events.append({ type: Arrived, subject: event.subject, data: { n } });
      if (broken) throw new Error("the wire is down");
    },
  }],
};

let platform: TestPlatform;
let sent: string[];
beforeAll(async () => {
  platform = await testPlatform({ extraModules: [probe] });
  sent = [];
  for (const n of [1, 2, 3]) sent.push(((await platform.call("probe.send", { as: "admin", input: { n } })).body as { event: string }).event);
  await until(async () => (await deadLetters()).length === 3);
}, 60_000);
afterAll(() => platform.close());

async function deadLetters(input: Record<string, unknown> = {}): Promise<DeadLetter[]> {
  return ((await platform.call("events.list-dead-letters", { as: "admin", input })).body as { items: DeadLetter[] }).items;
}

async function arrived(): Promise<string[]> {
  const { body } = await platform.call("audit.list", { as: "admin", input: { type: Arrived.type } });
  return (body as { items: { subject: string }[] }).items.map(({ subject }) => subject).reverse();
}

const codeOf = ({ body }: { body: unknown }): unknown => (body as { code?: string }).code;

describe("given a subscription that cannot do its work", () => {
  it("then what it gave up on is listed with its reason, newest first, and nothing came of it", async () => {
    expect(await deadLetters()).toMatchObject([3, 2, 1].map((n) => ({
      subscription: "probe.receive", event: sent[n - 1], type: "probe.sent", subject: `probe_${n}`, attempts: 5, reason: "Error: the wire is down", redriving: false,
    })));
    expect(await deadLetters({ subscription: "vulnerabilities.match" })).toEqual([]);
    expect(await arrived()).toEqual([]);
  });

  it("then pages of the list hold each once", async () => {
    const first = (await platform.call("events.list-dead-letters", { as: "admin", input: { limit: 2 } })).body as { items: DeadLetter[]; next: string };
    const second = (await platform.call("events.list-dead-letters", { as: "admin", input: { limit: 2, cursor: first.next } })).body as { items: DeadLetter[]; next?: string };
    expect([...first.items, ...second.items].map(({ event }) => event)).toEqual([...sent].reverse());
    expect(second.next).toBeUndefined();
  });

  it("then one is shown with the data of its event", async () => {
    const { body } = await platform.call("events.get-dead-letter", { as: "admin", input: { subscription: "probe.receive", event: sent[1] } });
    expect(body).toMatchObject({ event: sent[1], data: { n: 2 }, reason: "Error: the wire is down" });
  });

  it.each([
    ["events.get-dead-letter", (event: string) => ({ subscription: "probe.receive", event })],
    ["events.redrive", (event: string) => ({ subscription: "probe.receive", event })],
    ["events.redrive", () => ({ subscription: "probe.receive" })],
  ])("then %s of another organization's is 404", async (id, input) => {
    const answer = await platform.call(id, { as: "other-tenant-admin", input: input(sent[0] as string) });
    expect([answer.status, codeOf(answer)]).toEqual([404, "dead-letter-not-found"]);
  });

  it("then the list of another organization is empty", async () => {
    expect((await platform.call("events.list-dead-letters", { as: "other-tenant-admin", input: {} })).body).toEqual({ items: [] });
  });

  it("then who may read the log sees them, and only an administrator has them handled once more", async () => {
    const input = { subscription: "probe.receive" };
    const by = async (as: "operator" | "auditor"): Promise<number[]> => [(await platform.call("events.list-dead-letters", { as, input: {} })).status, (await platform.call("events.redrive", { as, input })).status];
    expect([await by("operator"), await by("auditor")]).toEqual([[403, 403], [200, 403]]);
  });

  it.each([["31 days", 409, "subscription-gone"], ["29 days", 200, undefined]])("when nobody has followed a subscription for %s, then driving its dead letters again answers %i", async (ago, status, code) => {
    const subscription = `probe.away-${status}`;
    await platform.test.database.system(async (db) => {
      await db.run(sql`insert into events.subscriptions (name, position, seen_at) values (${subscription}, 1, now() - ${ago}::interval)`);
      await db.run(sql`
        insert into events.dead_letters (subscription, event_id, org_id, position, attempts, reason, at)
        select ${subscription}, event_id, org_id, position, 5, reason, at from events.dead_letters where subscription = 'probe.receive' and event_id = ${sent[0]}`);
    });
    const answer = await platform.call("events.redrive", { as: "admin", input: { subscription } });
    expect([answer.status, codeOf(answer), (await deadLetters({ subscription })).map(({ redriving }) => redriving)]).toEqual([status, code, [status === 200]]);
    await platform.test.database.system((db) => db.run(sql`delete from events.dead_letters where subscription = ${subscription}`));
  });

  it("when one is driven again and fails again, then it is a dead letter as before, with one attempt more", async () => {
    const answer = await platform.call("events.redrive", { as: "admin", input: { subscription: "probe.receive", event: sent[0] } });
    expect([answer.status, answer.body]).toEqual([200, { subscription: "probe.receive", count: 1 }]);
    await until(async () => (await deadLetters()).some(({ event, attempts }) => event === sent[0] && attempts === 6));
    expect(await deadLetters()).toMatchObject([{ attempts: 5 }, { attempts: 5 }, { event: sent[0], attempts: 6, redriving: false }]);
    expect(await arrived()).toEqual([]);
  });

  it("when its cause is gone and all are driven again, twice, then each has its effect once, in order, and the log says who asked", async () => {
    broken = false;
    const again = { as: "admin", input: { subscription: "probe.receive" } } as const;
    const answers = await Promise.all([platform.call("events.redrive", again), platform.call("events.redrive", again)]);
    expect(answers.map(({ status }) => status)).toContain(200);
    await until(async () => (await deadLetters()).length === 0);
    await until(async () => (await arrived()).length >= 3);
    expect(await arrived()).toEqual(["probe_1", "probe_2", "probe_3"]);
    const { body } = await platform.call("audit.list", { as: "admin", input: { type: "events.redriven", subject: "subscription_probe.receive" } });
    expect((body as { items: unknown[] }).items.at(-1)).toMatchObject({ operation: "events.redrive", data: { subscription: "probe.receive", event: sent[0], count: 1 } });
    expect(await platform.call("events.redrive", again)).toMatchObject({ status: 404, body: { code: "dead-letter-not-found" } });
  });
});

describe("given a group of the bus on the log that cannot do its work", () => {
  it("then its dead letters are listed under its name, and driven again when the cause is gone", async () => {
    const { database } = platform.test;
    const line = openLine(database, { timer: systemTimer, log: silent });
    const bus = createPostgresBus({ database, line, timer: systemTimer, clock: systemClock, log: silent, random: () => 0, prefixOf: () => "probe.sent" });
    const handled: string[] = [];
    let away = true;
    await bus.consume({
      topic: "probe", group: "outside", from: "start", attempts: 1,
      handle({ event }) {
        if (away) throw new Error("the other side is away");
        handled.push(event.subject);
        return Promise.resolve();
      },
    });
    const subscription = "bus probe outside";
    await until(async () => (await deadLetters({ subscription })).length === 3);
    away = false;
    expect(await platform.call("events.redrive", { as: "other-tenant-admin", input: { subscription } })).toMatchObject({ status: 404 });
    expect(await platform.call("events.redrive", { as: "admin", input: { subscription } })).toMatchObject({ status: 200, body: { subscription, count: 3 } });
    await until(async () => (await deadLetters({ subscription })).length === 0);
    expect(handled.sort()).toEqual(["probe_1", "probe_2", "probe_3"]);
    await bus.close();
    await line.close();
  });
});
