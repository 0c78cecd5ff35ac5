import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client as TemporalClient, Connection } from "@temporalio/client";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Client } from "./support/client.ts";
import { describeWith } from "./support/peer.ts";
import { claim, dataFolder, root, signIn, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { startPostgres15, type Postgres15 } from "./support/postgres15.ts";
import { freePort, startServer, untilReady } from "./support/process.ts";
import { startSimulatedOsv, type SimulatedOsv } from "./support/simulated-osv.ts";
import { startTemporal, type TemporalServer } from "./support/temporal.ts";

const password = "a password for Temporal";

interface Run {
  id: string;
  state: string;
  failure?: { code: string; message: string };
  steps: { step: string; attempt: number; output?: unknown }[];
}

/** The built program on a real Temporal; what it downloads comes from a simulated OSV. */
describeWith(["temporal", "postgresql"], "WORKFLOWS_URL with Temporal", () => {
  let temporal: TemporalServer;
  let postgres: Postgres15;
  let osv: SimulatedOsv;
  let env: Record<string, string>;
  const folders: Awaited<ReturnType<typeof dataFolder>>[] = [];
  const servers: RunningPlatform[] = [];
  let client: Client;

  async function start(): Promise<RunningPlatform> {
    const folder = await dataFolder("temporal-server");
    folders.push(folder);
    const server = await startPlatform(folder.path, env);
    servers.push(server);
    return server;
  }

  /** Under `workflows`, as /readyz of that server has it; it is ready all the while. */
  async function readiness(server: Pick<RunningPlatform, "address">): Promise<string | undefined> {
    const answer = await fetch(`${server.address}/readyz`);
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { checks: Record<string, string> }).checks["workflows"];
  }

  const sync = (): Promise<Run> => client.call<Run>("POST", "/api/v1/workflows", { workflow: "vulnerabilities.sync-feeds", input: { ecosystems: ["Debian"] } });
  const shown = (id: string): Promise<Run> => client.call<Run>("GET", `/api/v1/workflows/${id}`);

  async function ended(id: string): Promise<Run> {
    return vi.waitFor(async () => {
      const run = await shown(id);
      expect(["waiting", "running"]).not.toContain(run.state);
      return run;
    }, { timeout: 90_000, interval: 250 });
  }

  async function until(what: () => boolean | Promise<boolean>): Promise<void> {
    await vi.waitFor(async () => expect(await what()).toBe(true), { timeout: 90_000, interval: 100 });
  }

  async function qinfra(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, [join(root, "dist/main.mjs"), ...args], {
      env: { PATH: process.env["PATH"] ?? "", HOME: folders[0]?.path ?? "", QINFRA_URL: client.address, QINFRA_API_KEY: client.token ?? "" },
    });
    return stdout;
  }

  const steps = ["workflow.progress", "vulnerabilities.sync-feed", "workflow.end"];

  beforeAll(async () => {
    [temporal, postgres, osv] = await Promise.all([startTemporal(), startPostgres15(), startSimulatedOsv()]);
    await temporal.stop();
    const shared = await dataFolder("temporal-shared");
    folders.push(shared);
    env = {
      DATABASE_URL: `${postgres.url}?sslmode=disable`, SECRETS_URL: `file:${join(shared.path, "keys")}`, BLOBS_URL: `file:${join(shared.path, "blobs")}`, DATABASE_POOL: "8",
      WORKFLOWS_URL: temporal.url, OSV_URL: osv.url,
    };
    const server = await start();
    client = await claim(server.address, "admin", server.oneTimePassword ?? "", password);
  }, 240_000);

  afterAll(async () => {
    await client.close();
    for (const server of servers) await server.stop();
    await osv.stop();
    await postgres.stop();
    await temporal.remove();
    for (const folder of folders) await folder.remove();
  });

  it("given a Temporal that is away, then the server serves and says so, and what was asked for runs once it is there", { timeout: 120_000 }, async () => {
    const [server] = servers as [RunningPlatform];
    await until(async () => (await readiness(server))?.includes(`No Temporal server answers at ${temporal.address}`) === true);
    const { id } = await sync();
    expect((await shown(id)).state).toBe("waiting");
    await temporal.startAgain();
    expect(await ended(id)).toMatchObject({ state: "succeeded" });
    expect(await readiness(server)).toBe(`ok: Temporal at ${temporal.address}, namespace default`);

    const told = await qinfra("workflows", "get", id);
    for (const word of [id, "succeeded", ...steps]) expect(told).toContain(word);
  });

  it("given a Temporal that is killed while a step runs, then the step is done once, and the run ends when it is back", { timeout: 120_000 }, async () => {
    const [server] = servers as [RunningPlatform];
    const before = osv.asked();
    osv.hold();
    const { id } = await sync();
    await until(() => osv.asked() === before + 1);
    await temporal.stop("SIGKILL");
    await until(async () => (await readiness(server))?.includes("does not answer") === true);
    const later = await sync();
    osv.release();
    await until(async () => (await shown(id)).steps.some(({ step }) => step === "vulnerabilities.sync-feed"));
    await temporal.startAgain();
    const run = await ended(id);
    expect(run).toMatchObject({ state: "succeeded" });
    expect(run.steps.map(({ step, attempt }) => ({ step, attempt }))).toEqual(steps.map((step) => ({ step, attempt: 1 })));
    expect(await ended(later.id)).toMatchObject({ state: "succeeded" });
  });

  it("given a run that somebody terminates in Temporal, then it has failed, says why, and can be gone on with", { timeout: 120_000 }, async () => {
    osv.hold();
    const before = osv.asked();
    const { id } = await sync();
    await until(() => osv.asked() === before + 1);
    const connection = await Connection.connect({ address: temporal.address });
    const inTemporal = new TemporalClient({ connection });
    for await (const { workflowId } of inTemporal.workflow.list({ query: "ExecutionStatus = 'Running'" })) await inTemporal.workflow.getHandle(workflowId).terminate("for a test");
    await connection.close();
    const run = await ended(id);
    expect(run).toMatchObject({ state: "failed", failure: { code: "workflow-terminated", message: expect.stringContaining("was terminated in Temporal, past the platform") } });
    expect(run.steps.at(-1)?.step).not.toBe("vulnerabilities.sync-feed");
    osv.release();
    await client.call("POST", `/api/v1/workflows/${id}/retry`);
    expect(await ended(id)).toMatchObject({ state: "succeeded" });
  });

  it("given a server that is killed while it does a step, then another one goes on with the run", { timeout: 180_000 }, async () => {
    const [first] = servers as [RunningPlatform];
    osv.hold();
    const before = osv.asked();
    const { id } = await sync();
    await until(() => osv.asked() === before + 1);
    const second = await start();
    await until(async () => (await readiness(second))?.startsWith("ok") === true);
    await first.stop("SIGKILL");
    servers.shift();
    await client.close();
    client = await signIn(second.address, "admin", password);
    osv.release();
    const run = await ended(id);
    expect(run).toMatchObject({ state: "succeeded" });
    expect(run.steps.map(({ step }) => step)).toEqual(steps);
    expect(osv.asked()).toBeGreaterThan(before + 1);
  });

  it.each([
    ["as it is", "dbos", /could not be loaded: .*npm install @temporalio\/activity@\S+ @temporalio\/client@\S+ @temporalio\/worker@/],
    ["with Temporal's packages", "temporal", /^ok: Temporal at/],
  ])("given what the image holds, %s, then a server of it says how it is with Temporal", { timeout: 120_000 }, async (_what, WORKFLOWS, said) => {
    const folder = await dataFolder("temporal-image");
    folders.push(folder);
    await promisify(execFile)(process.execPath, [join(root, "deploy/container/collect.mjs"), folder.path], { env: { PATH: process.env["PATH"] ?? "", WORKFLOWS } });
    const port = await freePort();
    const server = startServer(join(folder.path, "node"), [join(folder.path, "app/dist/main.mjs"), "serve"], { cwd: folder.path, env: { ...env, HOME: folder.path, DATA_DIR: join(folder.path, "data"), PORT: String(port) } });
    const address = `http://127.0.0.1:${port}`;
    await untilReady(server, "the server of the image", async () => (await fetch(`${address}/readyz`)).ok);
    await expect.poll(() => readiness({ address }), { timeout: 60_000 }).toMatch(said);
    await server.stop();
  });
});
