import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemTimer } from "../../src/platform/events/timer.ts";
import { until } from "../../src/platform/events/testing.ts";
import { workflowsUnderTest, type WorkflowsUnderTest } from "../../src/platform/workflow/testing/harness.ts";
import * as flows from "../../src/platform/workflow/testing/workflows.ts";
import type { ChaosServer } from "./workflow-server.ts";

const seed = Number(process.env["QINFRA_CHAOS_SEED"] ?? Date.now() % 1_000_000);
const runs = 100;

/** 0 to 1, the same ones for the same seed (mulberry32). */
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}
let state = seed;

describe(`workflows on DBOS while servers are killed, seed ${seed}`, () => {
  let test: WorkflowsUnderTest;
  let counterpart: Server;
  /** Keys that the counterpart saw, and how often. */
  const seen = new Map<string, number>();
  const servers = new Set<ChildProcess>();

  beforeAll(async () => {
    test = await workflowsUnderTest(() => Promise.reject(new Error("the engines are in processes of their own here")));
    counterpart = createServer((request, response) => {
      const key = String(request.headers["idempotency-key"]);
      seen.set(key, (seen.get(key) ?? 0) + 1);
      response.end();
    }).listen(0, "127.0.0.1");
    await once(counterpart, "listening");
  });
  afterAll(async () => {
    for (const server of servers) server.kill("SIGKILL");
    counterpart.close();
    await test.close();
  });

  async function server(): Promise<void> {
    const told: ChaosServer = { urls: test.urls, counterpart: `http://127.0.0.1:${(counterpart.address() as AddressInfo).port}`, goneAfterSeconds: 2 };
    const child = spawn(process.execPath, [fileURLToPath(new URL("workflow-server.ts", import.meta.url)), JSON.stringify(told)], { stdio: ["ignore", "pipe", "inherit"] });
    servers.add(child);
    child.once("exit", () => servers.delete(child));
    await once(child.stdout as NodeJS.ReadableStream, "data");
  }

  async function open(ids: readonly string[]): Promise<number> {
    const states = await Promise.all(ids.map(async (id) => (await test.run(id)).state));
    return states.filter((one) => one === "waiting" || one === "running").length;
  }

  it("ends every run, does no effect twice, tells the counterpart of no key but its own, and loses no signal", { timeout: 600_000 }, async () => {
    await Promise.all([server(), server()]);
    const plain: string[] = [];
    const waiting: string[] = [];
    const undoing: string[] = [];
    for (let i = 0; i < runs; i++) {
      const kind = random();
      if (kind < 0.5) plain.push(await test.ask((workflows) => workflows.start(flows.plain, { word: `p${i}` })));
      else if (kind < 0.8) waiting.push(await test.ask((workflows) => workflows.start(flows.waiting, { signals: 2 })));
      else undoing.push(await test.ask((workflows) => workflows.start(flows.undoing, { fail: true })));
    }
    const all = [...plain, ...waiting, ...undoing];
    const signals = waiting.flatMap((id) => [`${id} 1`, `${id} 2`]);
    let kills = 0;
    while ((await open(all)) > 0) {
      for (const word of signals.splice(0, 1 + Math.floor(random() * 6))) await test.ask((workflows) => workflows.signal(word.split(" ")[0] as string, flows.go, { word }));
      // The time at which somebody dies is the point here, and the seed decides it.
      await systemTimer.sleep(100 + random() * 900);
      if (kills < 25) {
        const victim = [...servers][Math.floor(random() * servers.size)];
        victim?.kill("SIGKILL");
        kills += 1;
        await until(() => servers.size < 2);
        await server();
      }
    }
    expect(kills).toBeGreaterThan(5);

    for (const id of all) expect((await test.run(id)).state).toBe(undoing.includes(id) ? "failed" : "succeeded");
    const words = await test.allWords();
    expect(words.filter((word, i) => word.startsWith("p") && words.indexOf(word) !== i)).toEqual([]);
    expect(words.filter((word) => /^p\d+ [12]$/.test(word))).toHaveLength(2 * plain.length);
    for (const id of waiting) expect(await test.run(id)).toMatchObject({ output: [`${id} 1`, `${id} 2`] });
    for (const word of ["a", "b", "undone a", "undone b"]) expect(words.filter((one) => one === word)).toHaveLength(undoing.length);
    // A step that died between telling and recording tells again, under the same key.
    expect(new Set([...seen.keys()].map((key) => key.split(":")[0])).size).toBe(plain.length);
    expect(seen.size).toBe(plain.length);
  });
});
