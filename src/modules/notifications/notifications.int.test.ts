import { createHmac } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { testPlatform, type Answer, type Caller, type TestPlatform } from "../../app/testing.ts";
import { until } from "../../platform/events/testing.ts";
import type { Channel, Delivery, Rule } from "./schemas.ts";
import { startReceiver, type Receiver } from "./testing/receiver.ts";

interface Shown extends Delivery {
  tried: { number: number; outcome: string; status: number | null; reason: string | null; answer: string | null }[];
  about: { type: string; subject: string }[];
}

let platform: TestPlatform;
let receiver: Receiver;
let serial = 0;
beforeAll(async () => {
  receiver = await startReceiver();
  platform = await testPlatform({ workflows: true, settings: { NOTIFY_PRIVATE: "127.0.0.1" } });
});
afterAll(async () => {
  await platform.close();
  await receiver.stop();
});
beforeEach(() => {
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

const newWebhook = (path = "/hook"): Promise<Channel & { secret: string }> => call("notifications.create-channel", { name: `hook-${++serial}`, kind: "webhook", url: `${receiver.url}${path}?key=abcdef` });
const newRule = (channel: string, more: Record<string, unknown> = {}): Promise<Rule> => call("notifications.create-rule", { name: `rule-${++serial}`, channel, types: ["inventory.site-created"], ...more });
const newSite = (): Promise<{ id: string }> => call("inventory.create-site", { name: `site ${++serial}` });
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
});
