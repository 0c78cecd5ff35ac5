import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testPlatform, type Answer, type TestPlatform } from "../../app/testing.ts";
import { until } from "../../platform/events/testing.ts";
import { zipOf } from "../vulnerabilities/feeds/testing.ts";

const record = JSON.stringify({
  id: "DEBIAN-CVE-2026-1", modified: "2026-11-01T00:00:00Z", summary: "An example",
  affected: [{ package: { ecosystem: "Debian:12", name: "openssl" }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: "3.0.17-1" }] }] }],
});

interface RunShown {
  id: string;
  state: string;
  failure: { code: string } | null;
  steps: { call: number; step: string; state: string; attempt: number; ms: number; output: unknown }[];
  output: unknown;
  startedBy: string;
}

let platform: TestPlatform;
let osv: Server;
beforeAll(async () => {
  osv = createServer((request, response) => {
    if (request.url === "/Debian/all.zip") return response.end(zipOf([{ name: "DEBIAN-CVE-2026-1.json", content: record }]));
    return response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => osv.once("listening", resolve));
  platform = await testPlatform({ osvUrl: `http://127.0.0.1:${(osv.address() as AddressInfo).port}`, workflows: true });
});
afterAll(async () => {
  await platform.close();
  osv.close();
});

const asAdmin = (id: string, input: Record<string, unknown>): Promise<Answer> => platform.call(id, { as: "platform-admin", input });

async function ended(id: string): Promise<RunShown> {
  let run: RunShown | undefined;
  await until(async () => {
    run = (await asAdmin("workflows.get", { id })).body as RunShown;
    return !["waiting", "running"].includes(run.state);
  });
  return run as RunShown;
}

describe("bringing feeds up to date", () => {
  it("given an ecosystem, then its advisories are there, and the run shows what it did", async () => {
    const started = await asAdmin("workflows.start", { workflow: "vulnerabilities.sync-feeds", input: { ecosystems: ["Debian"] } });
    expect([started.status, (started.body as RunShown).state]).toEqual([201, "waiting"]);
    const run = await ended((started.body as RunShown).id);
    expect(run).toMatchObject({ state: "succeeded", failure: null, output: [{ feed: "osv-debian", changed: true, records: 1 }], startedBy: expect.stringMatching(/^usr_/) as string });
    expect(run.steps.map(({ step, state, attempt }) => [step, state, attempt])).toEqual([
      ["workflow.progress", "done", 1], ["vulnerabilities.sync-feed", "done", 1], ["workflow.end", "done", 1],
    ]);
    const feeds = (await asAdmin("feeds.list", {})).body as { items: { name: string }[] };
    expect(feeds.items.map(({ name }) => name)).toEqual(["osv-debian"]);
  });

  it("given an ecosystem that there is not, then it fails at once and says which", async () => {
    const { id } = (await asAdmin("workflows.start", { workflow: "vulnerabilities.sync-feeds", input: { ecosystems: ["Nowhere"] } })).body as RunShown;
    expect(await ended(id)).toMatchObject({ state: "failed", failure: { code: "ecosystem-unknown", message: expect.stringContaining("Nowhere/all.zip") as string } });
    const failed = (await asAdmin("workflows.list", { state: "failed" })).body as { items: RunShown[] };
    expect(failed.items.map((run) => run.id)).toEqual([id]);
    expect((await asAdmin("workflows.cancel", { id })).status).toBe(409);
    expect((await asAdmin("workflows.retry", { id })).body).toMatchObject({ state: "waiting" });
    expect(await ended(id)).toMatchObject({ state: "failed" });
  });

  it.each([
    ["an input that is not as declared", "platform-admin", { workflow: "vulnerabilities.sync-feeds", input: { ecosystems: [] } }, 400, "invalid-input"],
    ["a workflow that there is not", "platform-admin", { workflow: "nothing.at-all" }, 404, "workflow-unknown"],
    ["a workflow that is not allowed", "admin", { workflow: "vulnerabilities.sync-feeds", input: { ecosystems: ["Debian"] } }, 403, "workflow-not-allowed"],
    ["no permission for workflows at all", "viewer", { workflow: "vulnerabilities.sync-feeds" }, 403, "permission-missing"],
  ] as const)("given %s, then nothing is started", async (_what, as, input, status, code) => {
    const answer = await platform.call("workflows.start", { as, input });
    expect([answer.status, (answer.body as { code: string }).code]).toEqual([status, code]);
  });
});

describe("schedules", () => {
  const schedule = { name: "nightly", workflow: "vulnerabilities.sync-feeds", cron: "30 2 * * *", timeZone: "Europe/Zurich", input: { ecosystems: ["Debian"] } };

  it("given one, then it says when it is due, and a paused one that it is not", async () => {
    const made = await asAdmin("schedules.create", schedule);
    expect(made.body).toMatchObject({ ...schedule, overlap: "skip", paused: false, nextAt: expect.stringMatching(/T0[01]:30:00\.000Z$/) as string });
    const { id } = made.body as { id: string };
    expect((await asAdmin("schedules.update", { id, paused: true })).body).toMatchObject({ paused: true, nextAt: null });
    expect(((await asAdmin("schedules.list", {})).body as { items: unknown[] }).items).toHaveLength(1);
    expect((await asAdmin("schedules.delete", { id })).status).toBe(200);
    expect((await asAdmin("schedules.update", { id, paused: false })).status).toBe(404);
  });

  it.each([
    ["a cron expression of six fields", { cron: "0 30 2 * * *" }, "workflow-schedule-invalid"],
    ["a time zone that there is not", { timeZone: "Mars/Olympus" }, "workflow-schedule-invalid"],
    ["an input that is not as declared", { input: {} }, "invalid-input"],
  ])("given %s, then it is refused", async (_what, wrong, code) => {
    expect(((await asAdmin("schedules.create", { ...schedule, ...wrong })).body as { code: string }).code).toBe(code);
  });

  it("given a name that is taken, then it is refused", async () => {
    await asAdmin("schedules.create", schedule);
    expect(((await asAdmin("schedules.create", schedule)).body as { code: string }).code).toBe("workflow-schedule-exists");
  });
});
