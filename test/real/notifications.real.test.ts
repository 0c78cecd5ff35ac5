import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { startReceiver, type Receiver } from "../../src/modules/notifications/testing/receiver.ts";
import { startAlertmanager, type Alertmanager } from "./support/alertmanager.ts";
import { startMailServer, type MailServer } from "./support/aiosmtpd.ts";
import { createAuthority } from "./support/certificates.ts";
import type { Client } from "./support/client.ts";
import { describeWith, peer } from "./support/peer.ts";
import { claim, dataFolder, signIn, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { freePort, temporaryFolder } from "./support/process.ts";

interface Delivery {
  id: string;
  state: string;
  attempts: number;
  reason: string | null;
}

const password = "a password for notifications";
let folder: Awaited<ReturnType<typeof dataFolder>>;
let platform: RunningPlatform | undefined;
let client: Client;
let sites = 0;

let certificates: Awaited<ReturnType<typeof temporaryFolder>>;
let settings: Record<string, string>;
let mailPort = 0;
let mailTls: { cert: string; key: string } | undefined;

beforeAll(async () => {
  [folder, certificates, mailPort] = [await dataFolder("notifications"), await temporaryFolder("smtp-certificates"), await freePort()];
  settings = { NOTIFY_PRIVATE: "127.0.0.1", SMTP_URL: `smtp://127.0.0.1:${mailPort}`, SMTP_FROM: "QL-RF <qinfra@example.org>" };
  if (!("missing" in peer("openssl"))) {
    const authority = await createAuthority(certificates.path);
    mailTls = await authority.issue("mail");
    settings["NODE_EXTRA_CA_CERTS"] = authority.certificate;
  }
  platform = await startPlatform(folder.path, settings);
  client = await claim(platform.address, "admin", platform.oneTimePassword ?? "", password);
});
afterAll(async () => {
  await client?.close();
  await platform?.stop();
  await folder?.remove();
  await certificates?.remove();
});

/** With their rules and deliveries, so that each suite begins with none. */
async function deleteChannels(): Promise<void> {
  const { items } = await client.call<{ items: { id: string }[] }>("GET", "/api/v1/notifications/channels");
  for (const { id } of items) await client.call("DELETE", `/api/v1/notifications/channels/${id}`);
}

const newChannel = (input: object): Promise<{ id: string }> => client.call("POST", "/api/v1/notifications/channels", input);
const newRule = (name: string, channel: string, more: object = {}): Promise<unknown> => client.call("POST", "/api/v1/notifications/rules", { name, channel, types: ["inventory.site-created"], ...more });
const newSite = async (): Promise<string> => (await client.call<{ id: string }>("POST", "/api/v1/sites", { name: `site ${sites += 1}` })).id;
const deliveries = async (): Promise<Delivery[]> => (await client.call<{ items: Delivery[] }>("GET", "/api/v1/notifications/deliveries?limit=1000")).items;
const delivered = async (): Promise<number> => (await deliveries()).filter(({ state }) => state === "delivered").length;

describe("a receiver and a platform that die", () => {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver();
  });
  afterAll(async () => {
    await deleteChannels();
    await receiver.stop();
  });

  /** What arrived: the subjects of the events by the id of their message. */
  function arrived(): Map<string, Set<string>> {
    const byId = new Map<string, Set<string>>();
    for (const { headers, body } of receiver.received) {
      const id = String(headers["webhook-id"]);
      const { data } = JSON.parse(body) as { data: { event: { subject: string } } };
      byId.set(id, (byId.get(id) ?? new Set()).add(data.event.subject));
    }
    return byId;
  }

  it("given a receiver that is gone while events happen, when it is back, then nothing is lost", async () => {
    const { id } = await newChannel({ name: "hook", kind: "webhook", endpoint: `${receiver.url}/hook` });
    await newRule("sites", id);
    const made = [await newSite()];
    await vi.waitUntil(async () => (await delivered()) === 1, { timeout: 30_000, interval: 100 });
    await receiver.stop();
    for (let i = 0; i < 30; i += 1) made.push(await newSite());
    await vi.waitUntil(async () => (await deliveries()).some(({ attempts, state }) => attempts > 0 && state === "waiting"), { timeout: 30_000, interval: 100 });
    await receiver.start();
    await vi.waitUntil(async () => (await delivered()) === 31, { timeout: 90_000, interval: 200 });
    expect([...arrived().values()].flatMap((subjects) => [...subjects]).sort()).toEqual(made.sort());
  });

  it("given a platform that is killed while it sends, when it is started again, then each message arrives, and repeats carry the same id", async () => {
    receiver.received.length = 0;
    // Each request reaches the receiver, and the platform dies before it knows.
    let killed: Promise<void> | undefined;
    receiver.answer = () => {
      if (receiver.received.length === 5) killed = platform?.stop("SIGKILL");
      return { status: 204 };
    };
    const made = (await Promise.allSettled(Array.from({ length: 40 }, newSite))).flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    await vi.waitUntil(() => killed !== undefined, { timeout: 60_000, interval: 50 });
    await killed;
    platform = await startPlatform(folder.path, settings);
    await client.close();
    client = await signIn(platform.address, "admin", password);
    await vi.waitUntil(async () => {
      const all = await deliveries();
      return made.every((site) => [...arrived().values()].some((subjects) => subjects.has(site))) && all.every(({ state }) => state === "delivered");
    }, { timeout: 120_000, interval: 200 });
    const messages = [...arrived().values()];
    expect(messages.every((subjects) => subjects.size === 1)).toBe(true);
    // What was under way came again: one message an event, however often.
    expect(receiver.received.length).toBeGreaterThan(messages.length);
    expect(messages).toHaveLength(new Set(messages.flatMap((subjects) => [...subjects])).size);
  });
});

describeWith(["aiosmtpd", "openssl"], "a real mail server", () => {
  let mail: MailServer | undefined;
  afterAll(deleteChannels);
  afterEach(async () => {
    await mail?.stop();
    mail = undefined;
  });

  it("given STARTTLS, then the recipients get the message, with the template in subject and text", async () => {
    mail = await startMailServer({ port: mailPort, ...(mailTls === undefined ? {} : { tls: mailTls }) });
    const { id } = await newChannel({ name: "mail", kind: "email", recipients: ["team@example.org", "lead@example.org"] });
    await newRule("mail", id, { template: { title: "Neu: {{summary}} – Zürich", text: "Made by {{event.actor}}: {{event.subject}}" } });
    const site = await newSite();
    await vi.waitUntil(async () => (await delivered()) === 1, { timeout: 30_000, interval: 100 });
    const [message = "", ...others] = await mail.received();
    expect(others).toEqual([]);
    const [one] = await deliveries();
    expect(message).toContain(`Message-ID: <${one?.id}@example.org>`);
    expect(message).toMatch(/^To: team@example\.org, lead@example\.org$/m);
    expect(message).toMatch(/^Subject: =\?UTF-8\?/m);
    expect(message).toContain(site);
  });

  it("given a server that stops offering STARTTLS, then nothing is sent to it in the clear, and it goes out when it does again", async () => {
    mail = await startMailServer({ port: mailPort });
    await newSite();
    await vi.waitUntil(async () => {
      const [newest, ...others] = await deliveries();
      return others.length === 1 && newest?.attempts === 1;
    }, { timeout: 30_000, interval: 100 });
    expect((await deliveries())[0]).toMatchObject({ state: "waiting" });
    expect(await mail.received()).toEqual([]);
    await mail.stop();
    mail = await startMailServer({ port: mailPort, ...(mailTls === undefined ? {} : { tls: mailTls }) });
    await vi.waitUntil(async () => (await delivered()) === 2, { timeout: 60_000, interval: 200 });
    expect(await mail.received()).toHaveLength(1);
  });
});

describeWith(["alertmanager"], "a real Alertmanager", () => {
  let alertmanager: Alertmanager;
  beforeAll(async () => {
    alertmanager = await startAlertmanager();
  });
  afterAll(async () => {
    await deleteChannels();
    await alertmanager.stop();
  });

  it("given an event, then it is an alert that fires, once, also when it is driven again", async () => {
    const { id } = await newChannel({ name: "alerts", kind: "alertmanager", endpoint: alertmanager.url });
    await newRule("alerts", id);
    const site = await newSite();
    const other = await newSite();
    await vi.waitUntil(async () => (await delivered()) === 2, { timeout: 30_000, interval: 100 });
    const [first] = await deliveries();
    await client.call("POST", `/api/v1/notifications/deliveries/${first?.id}/redrive`, {});
    await vi.waitUntil(async () => (await deliveries())[0]?.attempts === 2, { timeout: 30_000, interval: 100 });
    const alerts = await alertmanager.alerts();
    expect(alerts.map(({ labels, status }) => [labels["alertname"], labels["subject"], status.state]).sort()).toEqual([["inventory.site-created", other, "active"], ["inventory.site-created", site, "active"]].sort());
    expect(alerts[0]).toMatchObject({ annotations: { summary: "A site was made" }, generatorURL: expect.stringContaining("/api/v1/notifications/deliveries/dlv_") as string });
    expect(Date.parse(alerts[0]?.endsAt ?? "")).toBeGreaterThan(Date.now());
  });
});
