import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { Client, Connection } from "@temporalio/client";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { until } from "../../src/platform/events/testing.ts";
import type { Handed, RunStep, WorkflowEngine } from "../../src/platform/workflow/engine.ts";
import { bundleForTemporal } from "../../src/platform/workflow/engines/temporal/bundle.ts";
import type { TemporalTls } from "../../src/platform/workflow/engines/temporal/connect.ts";
import { createTemporalEngine } from "../../src/platform/workflow/engines/temporal/engine.ts";
import { EngineStopped } from "../../src/platform/workflow/frame.ts";
import { plain, waiting } from "../../src/platform/workflow/testing/workflows.ts";
import { createAuthority } from "./support/certificates.ts";
import { describeWith } from "./support/peer.ts";
import { temporaryFolder } from "./support/process.ts";
import { startTemporal, type TemporalServer } from "./support/temporal.ts";

const entry = fileURLToPath(new URL("../../src/platform/workflow/testing/temporal-bundle.ts", import.meta.url));
const log = pino({ level: process.env["QINFRA_TEST_LOG"] ?? "silent" });

describeWith(["temporal", "openssl"], "the engine on a real Temporal, where something is in its way", () => {
  let temporal: TemporalServer;
  let bundle: { code: string };
  let client: Client;
  beforeAll(async () => {
    [temporal, bundle] = await Promise.all([startTemporal(), bundleForTemporal(entry)]);
    client = new Client({ connection: await Connection.connect({ address: temporal.address }) });
  });
  afterAll(async () => {
    await client.connection.close();
    await temporal.remove();
  });

  const open = (runStep: RunStep, url = temporal.url, tls?: TemporalTls): Promise<WorkflowEngine> =>
    createTemporalEngine({ executor: `temporal:${randomUUID()}`, runStep, log, url, bundle, taskQueue: randomUUID(), ...(tls === undefined ? {} : { tls }) });
  const answer: RunStep = async (call) => ({ output: call.step === "workflow.wait" ? { until: null } : { rows: 1 } });
  const handed = (workflow: string, input: unknown): Handed => ({ key: randomUUID(), workflow, orgId: randomUUID(), runId: randomUUID(), input });

  it("tells how each execution is over, and says nothing of those that run", async () => {
    const engine = await open(answer);
    const [runs, ended, terminated] = [handed(waiting.id, { signals: 1 }), handed(plain.id, { word: "w" }), handed(waiting.id, { signals: 1 })];
    for (const run of [runs, ended, terminated]) await engine.start(run);
    await client.workflow.getHandle(ended.key).result();
    await client.workflow.getHandle(terminated.key).terminate("for a test");
    const unknown = randomUUID();
    const over = await engine.over([runs.key, ended.key, terminated.key, unknown]);
    expect(new Map([...over].map(([key, { code }]) => [key, code]))).toEqual(new Map([[ended.key, "workflow-ended"], [terminated.key, "workflow-terminated"], [unknown, "workflow-lost"]]));
    await client.workflow.getHandle(runs.key).terminate();
    await engine.close();
  });

  it("ends what it does outside where Temporal falls silent for so long that it gives it to others, and does it again", async () => {
    const did: string[] = [];
    const engine = await open(async (call, stop) => {
      if (call.step !== "test.tell") return answer(call, stop);
      did.push("began");
      if (did.length > 1) return { output: null };
      await once(stop, "abort");
      did.push("ended");
      throw new EngineStopped("cut off");
    });
    const run = handed(plain.id, { word: "w" });
    await engine.start(run);
    await until(() => did.length === 1);
    await temporal.stop("SIGKILL");
    await until(() => did.length === 2);
    await temporal.startAgain();
    expect(await client.workflow.getHandle(run.key).result()).toBe("succeeded");
    expect(did).toEqual(["began", "ended", "began"]);
    await engine.close();
  });

  it("speaks TLS, shows its certificate, and trusts nobody but the authority", async () => {
    const folder = await temporaryFolder("temporal-tls");
    const [authority, other] = [await createAuthority(folder.path), await createAuthority(folder.path, "other")];
    const pem = async (pair: { cert: string; key: string }, ca: string): Promise<TemporalTls> => ({ ca: await readFile(ca, "utf8"), cert: await readFile(pair.cert, "utf8"), key: await readFile(pair.key, "utf8") });
    const front = await pem(await authority.issue("temporal"), authority.certificate);
    const shown = new Set<string>();
    const sockets = new Set<TLSSocket>();
    // Temporal's development server speaks no TLS itself.
    const server = createServer({ ...front, ca: front.ca, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ["h2"] }, (socket) => {
      shown.add(String(socket.getPeerCertificate().subject.CN));
      sockets.add(socket);
      const to = connect(Number(new URL(temporal.url).port), "127.0.0.1");
      socket.pipe(to).pipe(socket);
      for (const one of [socket, to]) one.on("error", () => socket.destroy()).on("close", () => (to.destroy(), socket.destroy()));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `temporals://127.0.0.1:${(server.address() as { port: number }).port}/default`;

    const ours = await authority.issue("qinfra");
    const engine = await open(answer, url, await pem(ours, authority.certificate));
    const run = handed(plain.id, { word: "w" });
    await engine.start(run);
    expect(await client.workflow.getHandle(run.key).result()).toBe("succeeded");
    expect([...shown]).toEqual(["qinfra"]);
    await engine.close();
    for (const tls of [await pem(ours, other.certificate), await pem(await other.issue("qinfra"), authority.certificate), undefined]) {
      await expect(open(answer, url, tls)).rejects.toThrow(/Temporal/);
    }
    for (const socket of sockets) socket.destroy();
    server.close();
    await folder.remove();
  });
});
