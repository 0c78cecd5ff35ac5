import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createHttpClient } from "../../src/platform/http-client/http-client.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { toTypeId } from "../../src/platform/ids.ts";
import { createOpaPolicies, type PlanInput } from "../../src/platform/policy/index.ts";
import { describeWith, program } from "./support/peer.ts";
import { freePort, startServer, temporaryFolder, untilReady } from "./support/process.ts";

const root = resolve(import.meta.dirname, "../..");
const orgId = "0193a8bc-2f00-7000-8000-000000000001";
const input: PlanInput = {
  operation: { id: "images.delete", effect: "destructive", permission: "images:delete" },
  actor: { kind: "user", id: "ada", ai: false, secondFactor: false, roles: ["admin"], permissions: ["images:delete"], orgId, platform: false },
  org: { id: orgId, settings: {} }, input: { id: "img_1" }, time: "2026-11-21T10:00:00Z", door: "http", plan: null,
};

describeWith(["opa"], "an organization's own Rego in an OPA server", () => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const http = createHttpClient({ clock: systemClock, userAgent: "test" });
  let url: string;
  let server: ReturnType<typeof startServer>;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder("opa-server");
    const example = await readFile(join(root, "examples/policies/organization.rego"), "utf8");
    await writeFile(join(folder.path, "organization.rego"), example.replace(/org_01[0-9a-z]+/, toTypeId("org", orgId)));
    await writeFile(join(folder.path, "broken.rego"), `package qinfra.organizations.${toTypeId("org", "0193a8bc-2f00-7000-8000-000000000002")}\n\nrequest := "yes"\n`);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    server = startServer(program("opa"), ["run", "--server", "--skip-version-check", "--addr", `127.0.0.1:${port}`, "--config-file", join(root, "deploy/opa/config.yaml"), folder.path]);
    await untilReady(server, "OPA", async () => (await fetch(`${url}/health`)).ok);
  });
  afterAll(async () => {
    await server.stop();
    await http.close();
    await folder.remove();
  });
  const policies = () => createOpaPolicies({ url, http, log });

  it.each([
    ["in working hours", {}, { allow: true, reasons: [] }],
    ["at night", { time: "2026-11-21T23:00:00Z" }, { allow: false, reasons: ["outside-working-hours"] }],
    ["of another region", { input: { region: "us-east-1" } }, { allow: false, reasons: ["other-region"] }],
    ["of an organization without Rego", { org: { id: "0193a8bc-2f00-7000-8000-000000000009", settings: {} } }, { allow: true, reasons: [] }],
    ["of an organization whose Rego answers no decision", { org: { id: "0193a8bc-2f00-7000-8000-000000000002", settings: {} } }, { allow: false, reasons: ["organization-policy-unavailable"] }],
    ["before there is an organization", { org: null }, { allow: true, reasons: [] }],
  ])("judges a request %s", async (_what, more, decision) => {
    expect(await policies().request({ ...input, ...more })).toEqual(decision);
  });

  it("judges a plan", async () => {
    expect(await policies().plan(input)).toEqual({ decision: "approve", reasons: ["deletion"], approvers: [{ role: "admin", count: 1 }], excluded: ["ada"] });
    expect(await policies().plan({ ...input, operation: { ...input.operation, id: "images.set-tags" } })).toMatchObject({ decision: "allow" });
  });

  it("logs each decision under the id that OPA's own log has", async () => {
    lines.length = 0;
    await policies().request(input);
    const { decision } = lines.find((line) => line["msg"] === "policy decision") as { decision: string };
    expect(decision).toMatch(/^[0-9a-f-]{36}$/);
    await expect.poll(() => server.log()).toContain(decision);
  });

  it("denies while OPA is gone, and says so", async () => {
    const gone = createOpaPolicies({ url: `http://127.0.0.1:${await freePort()}`, http, log });
    expect(await gone.request(input)).toEqual({ allow: false, reasons: ["organization-policy-unavailable"] });
    expect(await gone.plan(input)).toMatchObject({ decision: "deny", reasons: ["organization-policy-unavailable"] });
    expect(await gone.health()).toContain("requests are denied");
    expect(await policies().health()).toBe("ok");
  });
});
