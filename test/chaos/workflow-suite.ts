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
import type { Moment } from "./workflow-moments.ts";
import type { ChaosServer } from "./workflow-server.ts";

/** Where servers run workflows; DBOS unless there is a Temporal. */
export type EngineOf = (test: WorkflowsUnderTest) => Pick<ChaosServer, "temporal">;

export interface ChaosOptions {
  title: string;
  engineOf: EngineOf;
  /** How many servers are killed under the random runs. */
  kills: number;
}

const goneAfterSeconds = 4;
const runs = 100;
const seed = Number(process.env["QINFRA_CHAOS_SEED"] ?? Date.now() % 1_000_000);

/** 0 to 1, the same ones for the same seed (mulberry32). */
function randomFrom(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A run that succeeds makes calls 1 to 5, one that fails 6 and 7 too. */
const moments: readonly { fail: boolean; moment: Moment }[] = [
  ...(["run taken", "run handed over", "message taken", "message handed over"] as const).map((at) => ({ fail: false, moment: { at } })),
  ...[1, 5].flatMap((call) => (["preparing", "uncommitted", "committed"] as const).map((at) => ({ fail: false, moment: { at, call } }))),
  ...(["preparing", "prepared", "uncommitted", "committed"] as const).map((at) => ({ fail: false, moment: { at, call: 2 } })),
  ...[3, 4].flatMap((call) => (["committed", "waiting"] as const).map((at) => ({ fail: false, moment: { at, call } }))),
  ...[false, true].flatMap((fail) => (["uncommitted", "committed"] as const).map((at) => ({ fail, moment: { at, call: 0 } }))),
  { fail: true, moment: { at: "preparing", call: 6, attempt: 2 } },
  { fail: true, moment: { at: "committed", call: 6 } },
  ...(["preparing", "uncommitted", "committed"] as const).map((at) => ({ fail: true, moment: { at, call: 7 } })),
];

export function workflowChaos({ title, engineOf, kills: mostKills }: ChaosOptions): void {
  describe(`workflows on ${title} while servers are killed, seed ${seed}`, () => {
    let counterpart: Server;
    /** Keys that the counterpart saw, and how often. */
    const seen = new Map<string, number>();
    const servers = new Set<ChildProcess>();

    beforeAll(async () => {
      counterpart = createServer((request, response) => {
        const key = String(request.headers["idempotency-key"]);
        seen.set(key, (seen.get(key) ?? 0) + 1);
        response.end();
      }).listen(0, "127.0.0.1");
      await once(counterpart, "listening");
    });
    afterAll(() => {
      for (const server of servers) server.kill("SIGKILL");
      counterpart.close();
    });

    function emptyPlatform(): Promise<WorkflowsUnderTest> {
      return workflowsUnderTest(() => Promise.reject(new Error("the engines are in processes of their own here")));
    }

    /** One more server; it is there when it has said so. */
    async function server(test: WorkflowsUnderTest, diesAt?: Moment): Promise<ChildProcess> {
      const told: ChaosServer = {
        urls: test.urls, counterpart: `http://127.0.0.1:${(counterpart.address() as AddressInfo).port}`, goneAfterSeconds, ...engineOf(test), ...(diesAt === undefined ? {} : { diesAt }),
      };
      const child = spawn(process.execPath, [fileURLToPath(new URL("workflow-server.ts", import.meta.url)), JSON.stringify(told)], { stdio: ["ignore", "pipe", "inherit"] });
      servers.add(child);
      child.once("exit", () => servers.delete(child));
      const exited = once(child, "exit").then(([code]) => Promise.reject(new Error(`a server did not start (${String(code)})`)));
      await Promise.race([once(child.stdout as NodeJS.ReadableStream, "data"), exited]);
      exited.catch(() => undefined);
      return child;
    }

    describe("one is killed just there, and another one goes on:", () => {
      it.concurrent.each(moments.map((one) => ({ ...one, where: Object.values(one.moment).join(" ") })))("$where, a run that fails: $fail", async ({ fail, moment }) => {
        const test = await emptyPlatform();
        const victim = await server(test, moment);
        const died = once(victim, "exit") as Promise<[number | null, string | null]>;
        const id = await test.ask((workflows) => workflows.start(flows.journey, { fail }));
        const going = tellToGo(test, id, moment.at === "waiting" ? died : undefined);
        expect((await died)[1]).toBe("SIGKILL");
        const successor = await server(test);
        await going;
        const ended = await test.ended(id);

        expect(ended.state).toBe(fail ? "failed" : "succeeded");
        expect(await test.words(id)).toEqual(fail ? ["a", "c", "undone a"] : ["a", "c"]);
        // Whoever dies after telling and before recording it tells again, by the same key.
        const told = [...seen].filter(([key]) => key.startsWith(id));
        expect(told).toHaveLength(1);
        const twice = "call" in moment && moment.call === 2 && ["prepared", "uncommitted"].includes(moment.at);
        expect(told[0]?.[1]).toBeGreaterThanOrEqual(twice ? 2 : 1);
        // A crash begins no count of attempts anew.
        if (fail) expect((await test.steps(id)).find(({ seq }) => seq === 6)?.attempt).toBe(3);
        successor.kill("SIGKILL");
        await until(() => !servers.has(successor));
        await test.close();
      }, 180_000);

      /** Tells a run that waits for it to go on; after its server died, where it is to die of old age. */
      async function tellToGo(test: WorkflowsUnderTest, id: string, after?: Promise<unknown>): Promise<void> {
        await until(async () => (await test.steps(id)).some(({ seq }) => seq === 4));
        await after;
        await test.ask((workflows) => workflows.signal(id, flows.go, { word: "go" }));
      }
    });

    it("ends every run, does no effect twice, tells the counterpart of no key but its own, and loses no signal", { timeout: 900_000 }, async () => {
      const random = randomFrom(seed);
      const test = await emptyPlatform();
      const pair = new Set<ChildProcess>();
      async function twoServers(): Promise<void> {
        while (pair.size < 2) {
          const one = await server(test);
          pair.add(one);
          one.once("exit", () => pair.delete(one));
        }
      }
      async function open(ids: readonly string[]): Promise<number> {
        const states = await Promise.all(ids.map(async (id) => (await test.run(id)).state));
        return states.filter((one) => one === "waiting" || one === "running").length;
      }
      await twoServers();
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
        if (kills < mostKills) {
          const victim = [...pair][Math.floor(random() * pair.size)];
          victim?.kill("SIGKILL");
          kills += 1;
          await until(() => victim === undefined || !pair.has(victim));
        }
        await twoServers();
      }
      expect(kills).toBeGreaterThan(5);

      for (const id of all) expect((await test.run(id)).state).toBe(undoing.includes(id) ? "failed" : "succeeded");
      const words = await test.allWords();
      expect(words.filter((word, i) => word.startsWith("p") && words.indexOf(word) !== i)).toEqual([]);
      expect(words.filter((word) => /^p\d+ [12]$/.test(word))).toHaveLength(2 * plain.length);
      for (const id of waiting) expect(await test.run(id)).toMatchObject({ output: [`${id} 1`, `${id} 2`] });
      for (const word of ["a", "b", "undone a", "undone b"]) expect(words.filter((one) => one === word)).toHaveLength(undoing.length);
      // A step that died between telling and recording tells again, under the same key.
      for (const id of plain) expect([...seen.keys()].filter((key) => key.startsWith(id))).toHaveLength(1);
      for (const one of pair) one.kill("SIGKILL");
      await until(() => pair.size === 0);
      await test.close();
    });
  });
}
