import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../events/testing.ts";
import type { Workflow } from "../declare.ts";
import { workflowsUnderTest, type OpenEngine, type WorkflowsUnderTest } from "./harness.ts";
import * as flows from "./workflows.ts";

/** Each hour, at a minute that is as far away as can be: no hour turns while a test counts what was due. */
function halfAnHourAway(): string {
  return `${(new Date().getUTCMinutes() + 30) % 60} * * * *`;
}

/** What every engine has to do. */
export function engineConformance(title: string, open: OpenEngine): void {
  describe(`workflows on ${title}`, () => {
    let test: WorkflowsUnderTest;
    beforeEach(async () => void (test = await workflowsUnderTest(open)));
    afterEach(() => test.close());

    it("runs each step once, in order, and keeps the result", async () => {
      await test.server();
      const id = await test.ask((workflows) => workflows.start(flows.plain, { word: "w" }));
      expect(await test.ended(id)).toMatchObject({ state: "succeeded", output: [1, 1] });
      expect(await test.words()).toEqual(["w 1", "w 2"]);
      expect([...test.told.values()]).toEqual([1]);
      expect(await test.steps(id)).toEqual([
        { seq: 0, step: "workflow.end", attempt: 1 }, { seq: 1, step: "test.write", attempt: 1 }, { seq: 2, step: "test.tell", attempt: 1 }, { seq: 3, step: "test.write", attempt: 1 },
      ]);
    });

    it("starts nothing for a transaction that was rolled back", async () => {
      await test.server();
      const rolledBack = test.ask(async (workflows) => {
        await workflows.start(flows.plain, { word: "never" });
        throw new Error("no");
      });
      await expect(rolledBack).rejects.toThrow("no");
      const id = await test.ask((workflows) => workflows.start(flows.plain, { word: "w" }));
      await test.ended(id);
      expect(await test.words()).toEqual(["w 1", "w 2"]);
    });

    it.each([
      ["succeeds after two that failed", { times: 2 }, { state: "succeeded", output: 1 }, ["flaky"]],
      ["fails after the last one", { times: 3 }, { state: "failed", failure: { code: "step-failed", message: "attempt 3 failed" } }, []],
      ["is not tried again where that is no use", { times: 3, code: "not-found" }, { state: "failed", failure: { code: "not-found", message: "There is none." } }, []],
    ])("a step %s", async (_what, input, ending, words) => {
      await test.server();
      const id = await test.ask((workflows) => workflows.start(flows.retrying, input));
      expect(await test.ended(id)).toMatchObject(ending);
      expect(await test.words()).toEqual(words);
    });

    it("sleeps no longer for a restart in between", async () => {
      const first = await test.server();
      const began = Date.now();
      const id = await test.ask((workflows) => workflows.start(flows.sleeping, { seconds: 1 }));
      await until(async () => (await test.steps(id)).length === 2);
      await first.kill();
      const second = await test.server();
      // None where the engine does it by itself.
      expect(await second.engine.takeOver(first.executor)).toBeLessThanOrEqual(1);
      expect(await test.ended(id)).toMatchObject({ state: "succeeded" });
      expect(Date.now() - began).toBeGreaterThanOrEqual(1_000);
      expect(await test.words()).toEqual(["before", "after"]);
    });

    it("hears signals in their order, those that came before it asked too", async () => {
      const id = await test.ask(async (workflows) => {
        const run = await workflows.start(flows.waiting, { signals: 3 });
        await workflows.signal(run, flows.go, { word: "one" });
        return run;
      });
      await test.server();
      for (const word of ["two", "three"]) await test.ask((workflows) => workflows.signal(id, flows.go, { word }));
      expect(await test.ended(id)).toMatchObject({ state: "succeeded", output: ["one", "two", "three"] });
    });

    it("waits for a signal no longer than it said", async () => {
      await test.server();
      const id = await test.ask((workflows) => workflows.start(flows.waiting, { signals: 1, timeoutSeconds: 0.05 }));
      expect(await test.ended(id)).toMatchObject({ state: "succeeded", output: [null] });
    });

    it.each([
      ["fails", true, { state: "failed" }],
      ["is cancelled", false, { state: "cancelled" }],
    ])("undoes the last first where it %s", async (_what, fail, ending) => {
      await test.server();
      const id = await test.ask((workflows) => workflows.start(flows.undoing, { fail }));
      if (!fail) {
        await until(async () => (await test.words()).length === 2);
        await test.ask((workflows) => workflows.cancel(id));
      }
      expect(await test.ended(id)).toMatchObject(ending);
      expect(await test.words()).toEqual(["a", "b", "undone b", "undone a"]);
    });

    it("has what waits cancelled at once", async () => {
      const id = await test.ask((workflows) => workflows.start(flows.plain, { word: "w" }));
      await test.ask((workflows) => workflows.cancel(id));
      await test.server();
      expect(await test.ended(id)).toMatchObject({ state: "cancelled" });
      const other = await test.ask((workflows) => workflows.start(flows.plain, { word: "other" }));
      await test.ended(other);
      expect(await test.words()).toEqual(["other 1", "other 2"]);
    });

    it("runs branches and children at once, and tells how far it is", async () => {
      await test.server();
      const id = await test.ask((workflows) => workflows.start(flows.branching, { branches: 5, atOnce: 3 }));
      expect(await test.ended(id)).toMatchObject({ state: "succeeded", output: [2, 2, 2, 2, 2], progress: { step: "branching", done: 5, total: 5 } });
      expect((await test.words()).toSorted()).toEqual(Array.from({ length: 5 }, (_, i) => [`branch ${i}`, `branch ${i} 1`, `branch ${i} 2`]).flat().toSorted());
    });

    it("fails with its child, and goes on from there when it is asked to", async () => {
      await test.server();
      const id = await test.ask((workflows) => workflows.start(flows.parent, { times: 3 }));
      expect(await test.ended(id)).toMatchObject({ state: "failed", failure: { code: "step-failed" }, execution: 1 });
      expect(await test.words()).toEqual(["parent"]);
      await test.ask((workflows) => workflows.retry(id));
      expect(await test.ended(id)).toMatchObject({ state: "failed", execution: 2 });
      expect(await test.words()).toEqual(["parent"]);
    });

    it("cancels the children with the parent", async () => {
      await test.server();
      const id = await test.ask((workflows) => workflows.start(flows.branching, { branches: 1, atOnce: 1 }));
      await test.ask((workflows) => workflows.cancel(id));
      expect((await test.ended(id)).state).toMatch(/cancelled|succeeded/);
    });

    it("runs one of a key at a time, and no more than its limit", async () => {
      await test.server();
      const start = (key: string, word: string): Promise<string> => test.ask((workflows) => workflows.start(flows.queued, { key, word }));
      const [a1, a2, b1, c1] = [await start("a", "a1"), await start("a", "a2"), await start("b", "b1"), await start("c", "c1")];
      await until(async () => (await test.words()).length === 2);
      expect((await test.words()).toSorted()).toEqual(["a1", "b1"]);
      expect((await test.run(a2)).state).toBe("waiting");
      const go = (id: string): Promise<void> => test.ask((workflows) => workflows.signal(id, flows.go, { word: "go" }));
      await go(a1);
      await until(async () => (await test.words()).length === 3);
      expect((await test.words())[2]).toBe("a2");
      for (const id of [a2, b1, c1]) await go(id);
      for (const id of [a1, a2, b1, c1]) expect(await test.ended(id)).toMatchObject({ state: "succeeded" });
    });

    it("starts by itself what is due, and makes up for what was missed", async () => {
      const schedule = { name: "often", workflow: "test.plain", input: { word: "s" }, cron: halfAnHourAway(), timeZone: "UTC", overlap: "allow" as const, catchUpSeconds: 7_300, paused: false };
      const id = await test.ask((workflows) => workflows.schedule(schedule));
      // As if no server had run for five hours: three of them are further back than it makes up for.
      await test.missed(id, 5);
      await test.server();
      await until(async () => (await test.words()).length === 4);
      expect(await test.scheduled(id)).toEqual({ runs: 2, next: true });
    });

    it.each([
      ["skip", 1, ["running"]],
      ["wait", 2, ["running", "waiting"]],
      ["allow", 3, ["running", "running", "running"]],
      ["cancel", 3, ["cancelled", "cancelled", "running"]],
    ] as const)("where a run is due and another is not over: %s", async (overlap, runs, states) => {
      const schedule = { name: "often", workflow: "test.waiting", input: { signals: 1 }, cron: halfAnHourAway(), timeZone: "UTC", overlap, catchUpSeconds: 0, paused: false };
      const id = await test.ask((workflows) => workflows.schedule(schedule));
      await test.server();
      for (let i = 0; i < 3; i++) {
        await test.missed(id, 0);
        await until(async () => (await test.scheduled(id)).next);
        await until(async () => (await test.statesOf(id)).every((state) => state !== "waiting") || overlap === "wait");
      }
      await until(async () => (await test.statesOf(id)).join() === states.join());
      expect(await test.statesOf(id)).toHaveLength(runs);
    });

    it("starts nothing of a paused schedule", async () => {
      const schedule = { name: "never", workflow: "test.plain", input: { word: "s" }, cron: halfAnHourAway(), timeZone: "UTC", overlap: "allow" as const, catchUpSeconds: 86_400, paused: true };
      const id = await test.ask((workflows) => workflows.schedule(schedule));
      await test.missed(id, 5);
      await test.server();
      await test.ended(await test.ask((workflows) => workflows.start(flows.plain, { word: "w" })));
      expect(await test.scheduled(id)).toEqual({ runs: 0, next: false });
    });

    it.each([
      [flows.wrongBranches, {}, "workflow-failed", "a branch makes one call"],
      [flows.tooLarge, {}, "too-large", "larger ones go by blob reference"],
    ] as const)("refuses what a history cannot hold: $id", async (workflow, input, code, message) => {
      await test.server();
      const id = await test.ask((workflows) => workflows.start(workflow as unknown as Workflow, input));
      expect(await test.ended(id)).toMatchObject({ state: "failed", failure: { code, message: expect.stringContaining(message) as string } });
    });
  });
}

