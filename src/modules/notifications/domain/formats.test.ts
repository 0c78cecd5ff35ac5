import { describe, expect, it } from "vitest";
import type { StoredEvent } from "../../../platform/events/types.ts";
import { alertsBody, mailOf, slackBody, webhookBody } from "./formats.ts";
import type { Message } from "./message.ts";

const event = (n: number, data: Record<string, unknown> = { source: "sbom", severity: "high" }): StoredEvent => ({
  id: `event-${n}`, orgId: "org-1", position: n, type: "images.registered", subject: `img_${n}`, stream: `img_${n}`, version: 1, time: `2026-11-21T10:00:0${n}.000Z`,
  actor: "usr_1", operation: "images.register", requestId: "req_1", door: "http", ai: false, data,
});
const told = (n: number, name = `debian ${n}`) => ({ event: event(n), summary: "A golden image was registered", name });
const one: Message = { id: "dlv_1", kind: "event", rule: "new-images", told: [told(1)] };
const digest: Message = { id: "dlv_2", kind: "digest", rule: "new-images", told: [told(1), told(2)] };

describe("webhooks", () => {
  it("given an event, then type, timestamp and data hold it as a CloudEvent", () => {
    expect(JSON.parse(webhookBody(one))).toEqual({
      type: "images.registered", timestamp: "2026-11-21T10:00:01.000Z",
      data: {
        rule: "new-images", title: "A golden image was registered", text: "debian 1 (img_1) at 2026-11-21T10:00:01.000Z\nsource: sbom\nseverity: high",
        event: expect.objectContaining({ specversion: "1.0", id: "event-1", source: "urn:qinfra:images", type: "images.registered", subject: "img_1", data: { source: "sbom", severity: "high" } }) as object,
      },
    });
  });

  it("given data of several levels, then its plain members are named by their paths", () => {
    const [body] = [webhookBody({ ...one, told: [{ ...told(1), event: event(1, { findings: 2, bySeverity: { critical: 1, high: 1 }, list: ["x"] }) }] })];
    expect((JSON.parse(body) as { data: { text: string } }).data.text.split("\n").slice(1)).toEqual(["findings: 2", "bySeverity.critical: 1", "bySeverity.high: 1"]);
  });

  it("given a digest, then all of its events are there", () => {
    expect(JSON.parse(webhookBody(digest))).toMatchObject({ type: "notifications.digest", timestamp: "2026-11-21T10:00:02.000Z", data: { count: 2, events: [{ event: { id: "event-1" } }, { event: { id: "event-2" } }] } });
  });
});

describe("Slack", () => {
  it("given a name that would mention everybody, then it is text", () => {
    const body = slackBody({ ...one, told: [told(1, "<!channel> & co")] });
    expect(body).not.toContain("<!channel>");
    expect(body).toContain("&lt;!channel&gt; &amp; co");
  });

  it("given a digest of any length, then blocks and texts stay within what Slack takes", () => {
    const { text, blocks } = JSON.parse(slackBody({ ...digest, told: Array.from({ length: 100 }, (_, i) => told(i % 10, "x".repeat(900))) })) as { text: string; blocks: { text?: { text: string } }[] };
    expect(text).toBe("100 events (new-images)");
    expect(blocks.length).toBeLessThanOrEqual(50);
    for (const block of blocks) expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(3_000);
  });
});

describe("e-mail", () => {
  it("given a template, then subject and text are made of it, and the subject is one line", () => {
    const { subject, text } = mailOf({ ...one, template: { title: "New:\n{{name}}", text: "Source {{event.data.source}}" } });
    expect(subject).toBe("New: debian 1");
    expect(text).toContain("Source sbom");
  });

  it("given a digest, then there is a line an event", () => {
    expect(mailOf(digest).text.split("\n").filter((line) => line.startsWith("- "))).toHaveLength(2);
  });
});

describe("Alertmanager", () => {
  it("given events, then each is an alert that its labels tell apart, which fires for an hour", () => {
    const now = Date.parse("2026-11-21T12:00:00Z");
    const alerts = JSON.parse(alertsBody(digest, { now, publicUrl: "https://qinfra.example" })) as { labels: Record<string, string>; startsAt: string; endsAt: string; generatorURL: string }[];
    expect(alerts.map(({ labels }) => labels["event"])).toEqual(["event-1", "event-2"]);
    expect(alerts[0]).toMatchObject({
      labels: { alertname: "images.registered", severity: "high", subject: "img_1", rule: "new-images" }, startsAt: "2026-11-21T10:00:01.000Z", endsAt: "2026-11-21T13:00:00.000Z",
      generatorURL: "https://qinfra.example/api/v1/notifications/deliveries/dlv_2",
    });
  });
});
