import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, Connection, WorkflowNotFoundError } from "@temporalio/client";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../../src/platform/events/testing.ts";
import type { Handed, RunStep, WorkflowEngine } from "../../src/platform/workflow/engine.ts";
import { bundleForTemporal } from "../../src/platform/workflow/engines/temporal/bundle.ts";
import { createTemporalEngine } from "../../src/platform/workflow/engines/temporal/engine.ts";
import { workflowType } from "../../src/platform/workflow/engines/temporal/names.ts";
import type { StepCall } from "../../src/platform/workflow/execution.ts";
import { EngineStopped } from "../../src/platform/workflow/frame.ts";
import { engineConformance } from "../../src/platform/workflow/testing/conformance.ts";
import type { OpenEngine } from "../../src/platform/workflow/testing/harness.ts";
import { thousandAtOnce } from "../../src/platform/workflow/testing/thousand.ts";
import { plain, waiting } from "../../src/platform/workflow/testing/workflows.ts";
import { describeWith } from "./support/peer.ts";
import { freePort, startServer, temporaryFolder, untilReady } from "./support/process.ts";
import { startTemporal, type TemporalServer } from "./support/temporal.ts";

const entry = (name: string): string => fileURLToPath(new URL(`../../src/platform/workflow/testing/${name}.ts`, import.meta.url));
const log = pino({ level: process.env["QINFRA_TEST_LOG"] ?? "silent" });

describeWith(["temporal"], "a real Temporal", () => {
  let temporal: TemporalServer;
  let bundle: { code: string };
  let bundleBefore: { code: string };
  beforeAll(async () => {
    [temporal, bundle, bundleBefore] = await Promise.all([startTemporal(), bundleForTemporal(entry("temporal-bundle")), bundleForTemporal(entry("temporal-bundle-before"))]);
  });
  afterAll(() => temporal.remove());

  // A queue of its own for each database, so that none does the steps of another one's runs.
  const open: OpenEngine = (fixture, ports, code) =>
    createTemporalEngine({ ...ports, url: temporal.url, bundle: code === "today" ? bundle : bundleBefore, taskQueue: fixture.orgId });
  engineConformance("Temporal", open);
  thousandAtOnce("Temporal", open);

  describe("the engine", () => {
    let client: Client;
    beforeAll(async () => {
      client = new Client({ connection: await Connection.connect({ address: temporal.address }) });
    });
    afterAll(() => client.connection.close());

    /** Steps that only answer; what they were asked for is in `calls`. */
    async function withEngine(taskQueue: string, runStep: RunStep): Promise<WorkflowEngine> {
      return createTemporalEngine({ executor: `server-${randomUUID()}`, runStep, log, url: temporal.url, bundle, taskQueue });
    }

    function recording(calls: StepCall[]): RunStep {
      return async (call) => {
        calls.push(call);
        return { output: call.step === "workflow.wait" ? { until: null } : { rows: 1 } };
      };
    }

    function handed(workflow: string, input: unknown): Handed {
      return { key: randomUUID(), workflow, orgId: randomUUID(), runId: randomUUID(), input };
    }

    const allSteps = ["test.write", "test.tell", "test.write", "workflow.end"];

    it("starts a key once, also when its run has ended, and drops what it is told then", async () => {
      const calls: StepCall[] = [];
      const engine = await withEngine(randomUUID(), recording(calls));
      const run = handed(plain.id, { word: "w" });
      await Promise.all([engine.start(run), engine.start(run)]);
      expect(await client.workflow.getHandle(run.key).result()).toBe("succeeded");
      const first = await client.workflow.getHandle(run.key).describe();
      await engine.start(run);
      await engine.deliver(run.key, { id: "1", kind: "cancel" });
      expect((await client.workflow.getHandle(run.key).describe()).runId).toBe(first.runId);
      expect(calls.map(({ step }) => step)).toEqual(allSteps);
      await engine.close();
    });

    it("drops a message for a run that it does not know", async () => {
      const engine = await withEngine(randomUUID(), recording([]));
      await engine.deliver(randomUUID(), { id: "1", kind: "cancel" });
      expect(await engine.takeOver("server-0")).toBe(0);
      await engine.close();
    });

    it("hands a message that was delivered twice to the workflow once", async () => {
      const engine = await withEngine(randomUUID(), recording([]));
      const run = handed(waiting.id, { signals: 2 });
      await engine.start(run);
      const tell = (id: string, word: string): Promise<void> => engine.deliver(run.key, { id, kind: "signal", name: "go", body: { word } });
      await tell("1", "one");
      await tell("1", "one");
      await tell("2", "two");
      expect(await client.workflow.getHandle(run.key).result()).toBe("succeeded");
      await engine.close();
    });

    it("changes nothing where somebody cancels the run in Temporal, past the platform", async () => {
      const calls: StepCall[] = [];
      const engine = await withEngine(randomUUID(), recording(calls));
      const run = handed(waiting.id, { signals: 1 });
      await engine.start(run);
      await until(() => calls.length === 1);
      await client.workflow.getHandle(run.key).cancel();
      await engine.deliver(run.key, { id: "1", kind: "signal", name: "go", body: { word: "go" } });
      expect(await client.workflow.getHandle(run.key).result()).toBe("succeeded");
      expect(calls.map(({ step }) => step)).toEqual(["workflow.wait", "test.write", "workflow.end"]);
      await engine.close();
    });

    it("gives a step that runs to another server when it closes", async () => {
      const taskQueue = randomUUID();
      const began = Promise.withResolvers<void>();
      const first = await withEngine(taskQueue, async (_call, stop) => {
        began.resolve();
        await once(stop, "abort");
        throw new EngineStopped("this server stops");
      });
      const run = handed(plain.id, { word: "w" });
      await first.start(run);
      await began.promise;
      await first.close();
      const calls: StepCall[] = [];
      const second = await withEngine(taskQueue, recording(calls));
      expect(await client.workflow.getHandle(run.key).result()).toBe("succeeded");
      expect(calls.map(({ step }) => step)).toEqual(allSteps);
      await second.close();
    });

    it("goes on with what a server that was killed had begun", async () => {
      const taskQueue = randomUUID();
      const folder = await temporaryFolder("temporal-bundle");
      const path = join(folder.path, "workflows.js");
      await writeFile(path, bundle.code);
      const killed = startServer(process.execPath, [fileURLToPath(new URL("support/hanging-worker.ts", import.meta.url)), temporal.url, path, taskQueue]);
      const run = handed(plain.id, { word: "w" });
      await client.workflow.start(workflowType, { workflowId: run.key, taskQueue, args: [run] });
      await untilReady(killed, "the server that is to be killed", async () => killed.log().includes("began test.write"));
      await killed.stop("SIGKILL");
      const calls: StepCall[] = [];
      const second = await withEngine(taskQueue, recording(calls));
      expect(await client.workflow.getHandle(run.key).result()).toBe("succeeded");
      expect(calls.map(({ step }) => step)).toEqual(allSteps);
      await second.close();
      await folder.remove();
    });

    it("forgets what has ended, and does not mind what it never knew", async () => {
      const engine = await withEngine(randomUUID(), recording([]));
      const run = handed(plain.id, { word: "w" });
      await engine.start(run);
      await client.workflow.getHandle(run.key).result();
      await engine.forget([run.key, randomUUID()]);
      const described = (): Promise<string> => client.workflow.getHandle(run.key).describe().then(() => "known", (error: unknown) => (error instanceof WorkflowNotFoundError ? "unknown" : "away"));
      await until(async () => (await described()) !== "known");
      expect(await described()).toBe("unknown");
      await engine.close();
      // The development server takes its time.
    }, 180_000);

    it.each([
      ["nobody listens", async () => `temporal://127.0.0.1:${await freePort()}/default`, "No Temporal server answers at 127.0.0.1:"],
      ["there is no such namespace", async () => `temporal://${temporal.address}/elsewhere`, "elsewhere"],
      ["the address is none", async () => "temporal:/", "temporal://host:port/namespace"],
    ])("says so where %s", async (_what, url, message) => {
      const opened = createTemporalEngine({ executor: "server-1", runStep: recording([]), log, url: await url(), bundle });
      await expect(opened).rejects.toThrow(message);
    });

    it("outlives its server's restart, and says so meanwhile", async () => {
      const calls: StepCall[] = [];
      const engine = await withEngine(randomUUID(), recording(calls));
      expect(await engine.health()).toBe(`ok: Temporal at ${temporal.address}, namespace default`);
      const run = handed(waiting.id, { signals: 1 });
      await engine.start(run);
      await until(() => calls.length === 1);
      await temporal.stop("SIGKILL");
      expect(await engine.health()).toContain(`Temporal at ${temporal.address} does not answer`);
      await temporal.startAgain();
      await until(async () => (await engine.health()).startsWith("ok"));
      await engine.deliver(run.key, { id: "1", kind: "signal", name: "go", body: { word: "go" } });
      expect(await client.workflow.getHandle(run.key).result()).toBe("succeeded");
      // A step whose answer the server had not written down yet is asked for again.
      expect([...new Set(calls.map(({ step }) => step))]).toEqual(["workflow.wait", "test.write", "workflow.end"]);
      await engine.close();
    });
  });
});
