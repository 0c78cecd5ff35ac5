import { createHmac, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { testPlatform, type Answer, type Caller, type TestPlatform } from "../../app/testing.ts";
import { systemClock } from "../../platform/clock.ts";
import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import { until } from "../../platform/events/testing.ts";
import type { StoredEvent, SubscriptionContext } from "../../platform/events/types.ts";
import { createIds, uuidOf } from "../../platform/ids.ts";
import { routeSubscription } from "./routing.ts";
import type { Channel, Delivery, Rule } from "./schemas.ts";
import { sweepDeliveries } from "./sweep.ts";
import { startReceiver, type Receiver } from "./testing/receiver.ts";
import { startSimulatedSmtp, type SimulatedSmtp } from "./testing/simulated-smtp.ts";

interface Shown extends Delivery {
  tried: { number: number; outcome: string; status: number | null; reason: string | null; answer: string | null }[];
  about: { type: string; subject: string }[];
}

let platform: TestPlatform;
let receiver: Receiver;
let smtp: SimulatedSmtp;
let serial = 0;
beforeAll(async () => {
  [receiver, smtp] = [await startReceiver(), await startSimulatedSmtp()];
  platform = await testPlatform({ workflows: true, settings: { NOTIFY_PRIVATE: "127.0.0.1", SMTP_URL: `smtp://127.0.0.1:${smtp.port}?tls=none`, SMTP_FROM: "QL-RF <qinfra@example.org>" } });
});
afterAll(async () => {
  await platform.close();
  await receiver.stop();
  await smtp.close();
});
beforeEach(async () => {
  // Rules of other tests would be told too.
  const { items } = await call<{ items: Channel[] }>("notifications.list-channels");
  for (const { id } of items) await call("notifications.delete-channel", { id });
  receiver.received.length = 0;
  receiver.answer = () => ({ status: 204 });
});

async function call<T>(id: string, input: Record<string, unknown> = {}, as: Caller = "admin"): Promise<T> {
  const answer = await platform.call(id, { as, input });
  if (answer.status >= 300) throw new Error(`${id} answered ${answer.status}: ${answer.text}`);
  return answer.body as T;
}
const refused = async (id: string, input: Record<string, unknown>, as: Caller = "admin"): Promise<[number, string]> => {
  const answer: Answer = await platform.call(id, { as, input });
  return [answer.status, (answer.body as { code: string }).code];
};

const newWebhook = (path = "/hook"): Promise<Channel & { secret: string }> => call("notifications.create-channel", { name: `hook-${++serial}`, kind: "webhook", endpoint: `${receiver.url}${path}?key=abcdef` });
const newRule = (channel: string, more: Record<string, unknown> = {}): Promise<Rule> => call("notifications.create-rule", { name: `rule-${++serial}`, channel, types: ["inventory.site-created"], ...more });
const newSite = (): Promise<{ id: string }> => call("inventory.create-site", { name: `site ${++serial}` });
const inOrg = <T>(work: (db: Db) => Promise<T>): Promise<T> => platform.test.database.tenant(platform.person("admin").orgId, work);
const deliveriesOf = async (channel: string): Promise<Delivery[]> => (await call<{ items: Delivery[] }>("notifications.list-deliveries", { channel })).items;

async function ended(channel: string, count = 1): Promise<Delivery[]> {
  let deliveries: Delivery[] = [];
  await until(async () => (deliveries = (await deliveriesOf(channel)).filter(({ endedAt }) => endedAt !== null)).length >= count);
  return deliveries;
}

describe("a signed webhook", () => {
  it("given a rule, when such an event happens, then the receiver gets it once, signed, and the delivery shows what was answered", async () => {
    receiver.answer = () => ({ status: 200, body: "thanks, token=abc123" });
    const { id, secret } = await newWebhook();
    const rule = await newRule(id);
    const site = await newSite();
    const [delivery] = await ended(id);
    expect(delivery).toMatchObject({ state: "delivered", rule: rule.id, kind: "event", events: 1, attempts: 1, reason: null });
    const [{ headers, body, path } = { headers: {}, body: "", path: "" }] = receiver.received;
    expect(receiver.received).toHaveLength(1);
    expect(path).toBe("/hook?key=abcdef");
    expect(headers["webhook-id"]).toBe(delivery?.id);
    const signed = `${headers["webhook-id"] as string}.${headers["webhook-timestamp"] as string}.${body}`;
    expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", Buffer.from(secret.slice(6), "base64")).update(signed).digest("base64")}`);
    expect(JSON.parse(body)).toMatchObject({ type: "inventory.site-created", data: { rule: rule.name, event: { specversion: "1.0", subject: site.id } } });
    const shown = await call<Shown>("notifications.get-delivery", { id: delivery?.id });
    expect(shown).toMatchObject({ tried: [{ number: 1, outcome: "delivered", status: 200, answer: "thanks, token=[redacted]" }], about: [{ type: "inventory.site-created", subject: site.id }] });
  });

  it("given a receiver that is away for a moment, then it gets the message under the same id, and both attempts are shown", async () => {
    const { id } = await newWebhook();
    receiver.answer = () => ({ status: receiver.received.length === 1 ? 503 : 204, headers: { "retry-after": "1" } });
    const test = await call<Delivery>("notifications.test-channel", { id });
    const [delivery] = await ended(id);
    expect(delivery).toMatchObject({ id: test.id, kind: "test", state: "delivered", attempts: 2 });
    expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual([test.id, test.id]);
    expect((await call<Shown>("notifications.get-delivery", { id: test.id })).tried.map(({ outcome, status }) => [outcome, status])).toEqual([["again", 503], ["delivered", 204]]);
    expect(await call<Channel>("notifications.get-channel", { id })).toMatchObject({ failures: 0, blockedUntil: null, waiting: 0 });
  });

  it("given a rotation, then both secrets sign, and only the new one where there is no overlap", async () => {
    const { id, secret } = await newWebhook();
    const rotated = await call<{ secret: string }>("notifications.rotate-secret", { id });
    await call("notifications.test-channel", { id });
    await ended(id);
    await call("notifications.rotate-secret", { id, secret, overlapSeconds: 0 });
    await call("notifications.test-channel", { id });
    await ended(id, 2);
    const [both, alone] = receiver.received.map(({ headers, body }) => ({
      given: String(headers["webhook-signature"]).split(" "),
      by: (one: string) => `v1,${createHmac("sha256", Buffer.from(one.slice(6), "base64")).update(`${headers["webhook-id"] as string}.${headers["webhook-timestamp"] as string}.${body}`).digest("base64")}`,
    }));
    expect(both?.given).toEqual([both?.by(rotated.secret), both?.by(secret)]);
    expect(alone?.given).toEqual([alone?.by(secret)]);
  });

  it("given an address that is gone, then the channel is disabled, what waited has failed, and it can be driven again", async () => {
    const { id } = await newWebhook();
    await newRule(id);
    receiver.answer = () => ({ status: 410 });
    await newSite();
    const [failed] = await ended(id);
    expect(failed).toMatchObject({ state: "failed", reason: "The address is gone (410)." });
    expect(await call("notifications.get-channel", { id })).toMatchObject({ enabled: false, disabledReason: "The address is gone (410)." });
    expect(await refused("notifications.test-channel", { id })).toEqual([409, "notification-channel-disabled"]);
    expect(await call("notifications.redrive-deliveries", { channel: id })).toEqual({ redriven: 0 });
    receiver.answer = () => ({ status: 204 });
    await call("notifications.update-channel", { id, enabled: true });
    expect(await call("notifications.redrive-deliveries", { channel: id })).toEqual({ redriven: 1 });
    await until(async () => (await deliveriesOf(id))[0]?.state === "delivered");
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([failed?.id]));
  });

  it.each([
    ["redirects elsewhere", 302, { location: "https://elsewhere.example/" }, "It redirects (302)"], ["has a fault", 500, {}, "It answered 500."], ["does not like the message", 422, {}, "It answered 422."],
  ])("given a receiver that %s, then it is tried again later, and it is said why", async (_what, status, headers, reason) => {
    receiver.answer = () => ({ status, headers });
    const { id } = await newWebhook();
    const test = await call<Delivery>("notifications.test-channel", { id });
    await until(async () => (await deliveriesOf(id))[0]?.attempts === 1);
    const shown = await call<Shown>("notifications.get-delivery", { id: test.id });
    expect(shown).toMatchObject({ state: "waiting", tried: [{ outcome: "again", status }] });
    expect(shown.reason).toContain(reason);
    expect(await call("notifications.get-channel", { id })).toMatchObject({ failures: status === 422 ? 0 : 1 });
    await call("notifications.delete-channel", { id });
  });

  it("given many events at once, then each arrives once, by a few runs and not one an event", async () => {
    const { id } = await newWebhook();
    await newRule(id);
    const runs = async (): Promise<number> => (await call<{ items: unknown[] }>("workflows.list", { workflow: "notifications.deliver", limit: 1_000 })).items.length;
    const before = await runs();
    const sites = await Promise.all(Array.from({ length: 40 }, newSite));
    await ended(id, 40);
    const told = receiver.received.map(({ body }) => (JSON.parse(body) as { data: { event: { subject: string } } }).data.event.subject);
    expect(told.sort()).toEqual(sites.map((site) => site.id).sort());
    expect((await runs()) - before).toBeLessThan(20);
  });
});

describe("other channels", () => {
  it("given Slack, then text and blocks arrive, and the endpoint is shown to nobody", async () => {
    const { id, target } = await call<Channel>("notifications.create-channel", { name: `slack-${++serial}`, kind: "slack", endpoint: `${receiver.url}/services/T0/B0/verysecret` });
    expect(target).toBe(new URL(receiver.url).host);
    await newRule(id, { template: { title: "Site *{{name}}*", text: "<!here> made by {{event.actor}}" } });
    await newSite();
    await ended(id);
    expect(JSON.parse(receiver.received[0]?.body ?? "")).toMatchObject({ text: expect.stringMatching(/^Site \*sit_/) as string, blocks: [{ type: "section" }, { text: { text: expect.stringMatching(/^<!here> made by usr_/) as string } }, { type: "context" }] });
    const everything = [await call("notifications.get-channel", { id }), await call("notifications.list-channels"), await call("audit.list", { limit: 200 })];
    expect(JSON.stringify(everything)).not.toContain("verysecret");
  });

  it("given Alertmanager, then alerts are posted with the authorization", async () => {
    const { id } = await call<Channel>("notifications.create-channel", { name: `alerts-${++serial}`, kind: "alertmanager", endpoint: `${receiver.url}/am/`, authorization: "Basic dXNlcjpwYXNz" });
    await call("notifications.test-channel", { id });
    await ended(id);
    expect(receiver.received[0]).toMatchObject({ path: "/am/api/v2/alerts", headers: { authorization: "Basic dXNlcjpwYXNz" } });
    expect(JSON.parse(receiver.received[0]?.body ?? "")).toMatchObject([{ labels: { alertname: "notifications.channel-tested", subject: id } }]);
  });

  it("given e-mail, then the recipients get one message, and what the server refuses for good has failed", async () => {
    const { id } = await call<Channel>("notifications.create-channel", { name: `mail-${++serial}`, kind: "email", recipients: ["a@example.org", "b@example.org"] });
    const test = await call<Delivery>("notifications.test-channel", { id });
    await ended(id);
    expect(smtp.received).toMatchObject([{ to: ["a@example.org", "b@example.org"], data: expect.stringContaining(`Message-ID: <${test.id}@example.org>`) as string }]);
    smtp.answer = "550 no mail from you";
    await call("notifications.test-channel", { id });
    const [refusedOne] = await ended(id, 2);
    expect(refusedOne).toMatchObject({ state: "failed", reason: expect.stringContaining("550") as string });
  });

  it("given an address that is not public, then nothing is sent", async () => {
    const { id } = await call<Channel>("notifications.create-channel", { name: `inside-${++serial}`, kind: "webhook", endpoint: "http://10.0.0.1/hook" });
    await call("notifications.test-channel", { id });
    const [delivery] = await ended(id);
    expect(delivery).toMatchObject({ state: "failed", reason: expect.stringContaining("is not public") as string });
  });
});

describe("digests and quiet hours", () => {
  const never = { cron: "0 0 1 1 *", timeZone: "UTC" };

  it("given a digest, then events wait together, an urgent one does not, and they arrive in one message when it is due", async () => {
    const { id } = await newWebhook();
    const rule = await newRule(id, { types: ["inventory.*"], filter: { subjectBegins: "sit_" }, digest: never });
    await newSite();
    await newSite();
    await until(async () => (await deliveriesOf(id))[0]?.events === 2);
    const [waiting] = await deliveriesOf(id);
    expect(waiting).toMatchObject({ kind: "digest", state: "waiting", nextAt: expect.stringMatching(/-01-01T00:00:00\.000Z$/) as string });
    await call("notifications.update-rule", { id: rule.id, urgent: [] });
    await newSite();
    expect((await ended(id))[0]).toMatchObject({ kind: "event", state: "delivered" });
    expect(receiver.received).toHaveLength(1);
    await platform.test.database.tenant(platform.person("admin").orgId, (db) => db.run(sql`update notifications.deliveries set next_at = now() where kind = 'digest' and state = 'waiting'`));
    await call("notifications.test-channel", { id });
    await ended(id, 3);
    const bodies = receiver.received.map(({ body }) => JSON.parse(body) as { type: string; data: { count?: number } });
    expect(bodies.find(({ type }) => type === "notifications.digest")?.data).toMatchObject({ count: 2, rule: rule.name });
  });

  it("given quiet hours round the clock, then what comes waits for their end, and goes with the rule", async () => {
    const { id } = await newWebhook();
    const days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    const rule = await newRule(id, { quiet: { days, from: "00:00", to: "00:00", timeZone: "Europe/Zurich" } });
    await newSite();
    await until(async () => (await deliveriesOf(id)).length === 1);
    expect((await deliveriesOf(id))[0]).toMatchObject({ kind: "digest", state: "waiting" });
    await call("notifications.delete-rule", { id: rule.id });
    expect((await deliveriesOf(id))[0]).toMatchObject({ state: "cancelled", rule: null, reason: "The rule was deleted." });
    expect(receiver.received).toEqual([]);
  });
});

describe("what waits", () => {
  it("given a rule that is led to another channel, then its digest of before stays where it is, and nothing more goes there", async () => {
    const [before, after] = [await newWebhook(), await newWebhook()];
    const rule = await newRule(before.id, { digest: { cron: "0 0 1 1 *", timeZone: "UTC" } });
    await newSite();
    await until(async () => (await deliveriesOf(before.id)).length === 1);
    await call("notifications.update-rule", { id: rule.id, channel: after.id });
    await newSite();
    await until(async () => (await deliveriesOf(after.id)).length === 1);
    expect([(await deliveriesOf(before.id)).map(({ events }) => events), (await deliveriesOf(after.id)).map(({ events }) => events)]).toEqual([[1], [1]]);
  });

  it("given a channel that has not worked for three days, then all that waits for it is given up on", async () => {
    receiver.answer = () => ({ status: 503 });
    const { id } = await newWebhook();
    await newRule(id);
    await Promise.all(Array.from({ length: 20 }, newSite));
    await until(async () => (await deliveriesOf(id)).length === 20);
    await inOrg((db) => db.run(sql`update notifications.deliveries set since = since - interval '4 days' where ended_at is null`));
    const deliveries = await ended(id, 20);
    expect(deliveries.map(({ state }) => state)).toEqual(Array.from({ length: 20 }, () => "failed"));
    expect(deliveries.filter(({ reason }) => reason?.startsWith("Given up on after three days")).length).toBeGreaterThan(0);
    expect(receiver.received.length).toBeLessThan(20);
    // Shown once it has its position, which it gets a moment after its commit.
    await until(async () => {
      const { items } = await call<{ items: { data: { count: number } }[] }>("audit.list", { type: "notifications.deliveries-failed", subject: id });
      return items.reduce((sum, { data }) => sum + data.count, 0) === 20;
    });
  });

  it("given a channel that is disabled between the reading of its rules and the telling, then nothing is kept for it", async () => {
    const { id } = await newWebhook();
    await newRule(id);
    const { orgId } = platform.person("admin");
    const { handle } = routeSubscription({ database: platform.test.database, clock: systemClock, ids: createIds(systemClock), eventTypes: [...platform.platform.registry.events.values()] });
    const event = { orgId, id: randomUUID(), position: 1, type: "inventory.site-created", subject: "sit_1", time: new Date(systemClock.now() + 1_000).toISOString(), data: {} } as unknown as StoredEvent;
    await inOrg((db) => {
      const between: Db["many"] = async (query) => {
        const rows = await db.many<never>(query);
        await call("notifications.update-channel", { id, enabled: false });
        return rows;
      };
      return handle({ db: { ...db, many: between } } as SubscriptionContext, event, undefined);
    });
    expect(await deliveriesOf(id)).toEqual([]);
  });

  it("given a delivery that ended a month ago on a channel that sends nothing any more, then it goes, and others stay", async () => {
    const { id } = await newWebhook();
    const [old, young] = [await call<Delivery>("notifications.test-channel", { id }), await call<Delivery>("notifications.test-channel", { id })];
    await ended(id, 2);
    await call("notifications.update-channel", { id, enabled: false });
    await inOrg((db) => db.run(sql`update notifications.deliveries set ended_at = now() - interval '31 days' where id = ${uuidOf("dlv", old.id)}`));
    expect(await sweepDeliveries(platform.test.database.system, systemClock)).toEqual({ deliveries: 1 });
    expect((await deliveriesOf(id)).map((delivery) => delivery.id)).toEqual([young.id]);
    expect(await inOrg((db) => db.one(sql`select count(*)::int as attempts from notifications.attempts where delivery_id = ${uuidOf("dlv", old.id)}`))).toEqual({ attempts: 0 });
  });
});

describe("rules", () => {
  it("given as many channels and rules as an organization may have, then another is refused", async () => {
    const { id } = await newWebhook();
    await inOrg((db) => db.run(sql`
      insert into notifications.channels select c.org_id, gen_random_uuid(), 'many-' || n, c.kind, false, null, c.recipients, c.sealed, c.hint, null, null, 0, null, c.created_at, c.updated_at
      from notifications.channels c, generate_series(2, 200) n where c.id = ${uuidOf("chn", id)}`));
    expect(await refused("notifications.create-channel", { name: "one-more", kind: "email", recipients: ["a@example.org"] })).toEqual([409, "notification-channel-limit"]);
    await inOrg((db) => db.run(sql`delete from notifications.channels where name like 'many-%'`));
    await inOrg((db) => db.run(sql`
      insert into notifications.rules select org_id, gen_random_uuid(), 'many-' || n, id, false, '{images.registered}', '{}', '{}', null, null, null, null, created_at, updated_at
      from notifications.channels, generate_series(1, 200) n where id = ${uuidOf("chn", id)}`));
    expect(await refused("notifications.create-rule", { name: "one-more", channel: id, types: ["images.registered"] })).toEqual([409, "notification-rule-limit"]);
  });

  it("given events that the caller may not see, then the rule is refused, and so is leading others' elsewhere", async () => {
    const hidden = [...platform.platform.registry.events.values()].find(({ permission }) => permission === "audit:read");
    expect(hidden).toBeDefined();
    const { id } = await newWebhook();
    expect(await refused("notifications.create-rule", { name: "all", channel: id, types: [hidden?.type] }, "operator")).toEqual([403, "notification-event-not-allowed"]);
    const rule = await newRule(id, { types: [hidden?.type] });
    expect(await refused("notifications.update-rule", { id: rule.id, enabled: true }, "operator")).toEqual([403, "notification-event-not-allowed"]);
    expect(await refused("notifications.update-channel", { id, endpoint: receiver.url }, "operator")).toEqual([403, "notification-event-not-allowed"]);
    expect((await platform.call("notifications.update-channel", { as: "operator", input: { id, enabled: false } })).status).toBe(200);
  });

  it("given a rule on runs of workflows, then sending its messages makes no more of them", async () => {
    const { id } = await newWebhook();
    await newRule(id, { types: ["workflows.*"] });
    const marker = await newWebhook();
    await newRule(marker.id);
    await newSite();
    await ended(marker.id);
    await newSite();
    await ended(marker.id, 2);
    expect(await deliveriesOf(id)).toEqual([]);
  });

  it.each([
    ["a type that there is not", { types: ["nothing.happened"] }, "notification-rule-invalid"], ["a placeholder that means nothing", { template: { text: "{{process.env}}" } }, "notification-rule-invalid"],
    ["a condition without one", { filter: { data: [{ member: "a" }] } }, "notification-rule-invalid"], ["a time zone that there is not", { digest: { cron: "0 8 * * *", timeZone: "Mars/Olympus" } }, "workflow-schedule-invalid"],
    ["a cron expression that is none", { digest: { cron: "every morning", timeZone: "UTC" } }, "workflow-schedule-invalid"], ["hours that there are not", { quiet: { days: ["monday"], from: "24:00", to: "07:00", timeZone: "UTC" } }, "invalid-input"],
  ])("given %s, then it is refused", async (_what, more, code) => {
    const { id } = await newWebhook();
    const [status, found] = await refused("notifications.create-rule", { name: "wrong", channel: id, types: ["inventory.site-created"], ...more });
    expect([Math.floor(status / 100), found]).toEqual([4, code]);
  });

  it.each([
    ["no endpoint", { kind: "slack" }], ["recipients of a webhook", { kind: "webhook", endpoint: "https://a.example", recipients: ["a@example.org"] }], ["no recipients", { kind: "email" }],
    ["a password in the endpoint", { kind: "webhook", endpoint: "https://me:secret@a.example" }], ["a secret for Slack", { kind: "slack", endpoint: "https://a.example", secret: `whsec_${"A".repeat(44)}` }],
  ])("given a channel with %s, then it is refused", async (_what, input) => {
    expect(await refused("notifications.create-channel", { name: "wrong", ...input })).toEqual([400, "notification-channel-invalid"]);
  });
});

describe("the guide", () => {
  it("given its code, then it takes what is signed here and nothing else", async () => {
    const guide = readFileSync(new URL("../../../docs/guides/notifications.md", import.meta.url), "utf8");
    const [, code = ""] = /```js\n([^]*?)```/.exec(guide) ?? [];
    const { isGenuine } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as { isGenuine(secret: string, headers: Record<string, unknown>, body: string, now?: number): boolean };
    const { id, secret } = await newWebhook();
    await call("notifications.test-channel", { id });
    await ended(id);
    const [{ headers, body } = { headers: {}, body: "" }] = receiver.received;
    expect(isGenuine(secret, headers, body)).toBe(true);
    expect([
      isGenuine(secret, headers, `${body} `), isGenuine(`whsec_${"A".repeat(43)}=`, headers, body), isGenuine(secret, { ...headers, "webhook-id": "dlv_other" }, body),
      isGenuine(secret, headers, body, Date.now() + 3_600_000), isGenuine(secret, { ...headers, "webhook-timestamp": "soon" }, body), isGenuine(secret, { ...headers, "webhook-signature": "v1,AAAA" }, body),
    ]).toEqual([false, false, false, false, false, false]);
  });
});

describe("metrics", () => {
  it("given what was sent, then it is counted by kind and state, and what waits is there", async () => {
    const { text } = await platform.platform.metrics.scrape(undefined);
    expect(text).toMatch(/qinfra_notifications_deliveries_total\{kind="webhook",state="delivered"\} \d+/);
    expect(text).toMatch(/qinfra_notifications_waiting \d+/);
  });
});

describe("organizations without rules", () => {
  const event = (position: number) => ({ orgId: platform.person("other-tenant-admin").orgId, id: randomUUID(), position, type: "inventory.site-created", subject: "sit_1", time: new Date(systemClock.now() + 60_000).toISOString(), data: {} }) as unknown as StoredEvent;

  it("given none, then one look is enough for all events that were there, and a rule made later has those that come after", async () => {
    let looks = 0;
    const { database } = platform.test;
    const counted = { ...database, read: ((org, work) => { looks += 1; return database.read(org, work); }) as typeof database.read };
    const { concerns } = routeSubscription({ database: counted, clock: systemClock, ids: createIds(systemClock), eventTypes: [...platform.platform.registry.events.values()] });
    expect([await concerns?.(event(1), 2), await concerns?.(event(2), 2)]).toEqual([false, false]);
    expect(looks).toBe(1);
    const channel = await platform.call("notifications.create-channel", { as: "other-tenant-admin", input: { name: "later", kind: "webhook", endpoint: "https://hooks.example/later" } });
    await platform.call("notifications.create-rule", { as: "other-tenant-admin", input: { name: "later", channel: (channel.body as { id: string }).id, types: ["inventory.*"] } });
    expect([await concerns?.(event(2), 2), await concerns?.(event(3), 3)]).toEqual([false, true]);
    // One that is driven again is looked at anew.
    expect(await concerns?.(event(2))).toBe(true);
  });
});
