import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { until } from "../../events/testing.ts";
import type { Workflow } from "../declare.ts";
import { listRuns } from "../timeline-store.ts";
import type { RunState } from "../types.ts";
import { runTypeId } from "../runs.ts";
import { scheduleConformance } from "./schedules.ts";
import { workflowsUnderTest, type OpenEngine, type Server, type WorkflowsUnderTest } from "./harness.ts";
import * as flows from "./workflows.ts";

/** What every engine has to do. */
export function engineConformance(title: string, open: OpenEngine): void {
  describe(`workflows on ${title}`, () => {
    let test: WorkflowsUnderTest;
    let server: Server;
    beforeAll(async () => {
      test = await workflowsUnderTest(open);
      server = await test.server();
    });
    afterEach(() => test.quiet());
    afterAll(() => test.close());

    it("runs each step once, in order, and keeps the result", async () => {
      const id = await test.ask((workflows) => workflows.start(flows.plain, { word: "w" }));
      expect(await test.ended(id)).toMatchObject({ state: "succeeded", output: [1, 1] });
      expect(await test.words(id)).toEqual(["w 1", "w 2"]);
      expect(test.toldBy(id)).toEqual([1]);
      expect(await test.steps(id)).toEqual([
        { seq: 0, step: "workflow.end", attempt: 1 }, { seq: 1, step: "test.write", attempt: 1 }, { seq: 2, step: "test.tell", attempt: 1 }, { seq: 3, step: "test.write", attempt: 1 },
      ]);
    });

    it("starts nothing for a transaction that was rolled back", async () => {
      let never = "";
      const rolledBack = test.ask(async (workflows) => {
        never = await workflows.start(flows.plain, { word: "never" });
        throw new Error("no");
      });
      await expect(rolledBack).rejects.toThrow("no");
      const id = await test.ask((workflows) => workflows.start(flows.plain, { word: "w" }));
      await test.ended(id);
      expect(await test.words(id)).toEqual(["w 1", "w 2"]);
      expect(never).not.toBe("");
      expect(await test.allWords()).not.toContain("never 1");
    });

    it.each([
      ["succeeds after two that failed", { times: 2 }, { state: "succeeded", output: 1 }, ["flaky"]],
      ["fails after the last one", { times: 3 }, { state: "failed", failure: { code: "step-failed", message: "attempt 3 failed" } }, []],
      ["is not tried again where that is no use", { times: 3, code: "not-found" }, { state: "failed", failure: { code: "not-found", message: "There is none." } }, []],
    ])("a step %s", async (_what, input, ending, words) => {
      const id = await test.ask((workflows) => workflows.start(flows.retrying, input));
      expect(await test.ended(id)).toMatchObject(ending);
      expect(await test.words(id)).toEqual(words);
    });

    it("sleeps no longer for a restart in between", async () => {
      const began = Date.now();
      const id = await test.ask((workflows) => workflows.start(flows.sleeping, { seconds: 1 }));
      await until(async () => (await test.steps(id)).length === 2);
      const first = server;
      await first.kill();
      server = await test.server();
      // None where the engine does it by itself.
      expect(await server.engine.takeOver(first.executor)).toBeLessThanOrEqual(1);
      expect(await test.ended(id)).toMatchObject({ state: "succeeded" });
      expect(Date.now() - began).toBeGreaterThanOrEqual(1_000);
      expect(await test.words(id)).toEqual(["before", "after"]);
    });

    it("goes on by the old code where a patch came after it had passed, and by the new one from there on", async () => {
      await server.stop();
      const old = await test.server("before");
      const begun = await test.ask((workflows) => workflows.start(flows.patched, {}));
      await until(async () => (await test.steps(begun)).length === 2);
      await old.stop();
      server = await test.server();
      await server.engine.takeOver(old.executor);
      const fresh = await test.ask((workflows) => workflows.start(flows.patched, {}));
      for (const id of [begun, fresh]) await test.ask((workflows) => workflows.signal(id, flows.go, { word: "go" }));
      for (const id of [begun, fresh]) expect(await test.ended(id)).toMatchObject({ state: "succeeded" });
      expect(await test.words(begun)).toEqual(["first", "later", "last"]);
      expect(await test.words(fresh)).toEqual(["first", "sooner", "later", "last"]);
    });

    it("finds runs by their state and their workflow, the newest first", async () => {
      const start = (workflow: Workflow, input: unknown): Promise<string> => test.ask((workflows) => workflows.start(workflow, input as never));
      const [succeeded, failed] = [await start(flows.waiting as never, { signals: 0 }), await start(flows.queued as never, { key: "other", word: "w" })];
      const [running, queued] = [await start(flows.queued as never, { key: "k", word: "w" }), await start(flows.queued as never, { key: "k", word: "w" })];
      await test.ask((workflows) => workflows.cancel(failed));
      for (const id of [succeeded, failed]) await test.ended(id);
      await until(async () => (await test.run(running)).state === "running");
      const mine = [succeeded, failed, running, queued].map(runTypeId);
      const found = async (state: RunState, workflow?: string): Promise<string[]> =>
        (await test.database.tenant(test.orgId, (db) => listRuns(db, { state, limit: 1_000, ...(workflow === undefined ? {} : { workflow }) }))).map(({ id }) => id).filter((id) => mine.includes(id));
      expect(await found("succeeded", "test.waiting")).toEqual([mine[0]]);
      expect(await found("succeeded", "test.queued")).toEqual([]);
      expect(await found("cancelled")).toEqual([mine[1]]);
      expect(await found("running")).toEqual([mine[2]]);
      expect(await found("waiting")).toEqual([mine[3]]);
    });

    it("hears signals in their order, those that came before it asked too", async () => {
      const id = await test.ask(async (workflows) => {
        const run = await workflows.start(flows.waiting, { signals: 3 });
        await workflows.signal(run, flows.go, { word: "one" });
        return run;
      });
      for (const word of ["two", "three"]) await test.ask((workflows) => workflows.signal(id, flows.go, { word }));
      expect(await test.ended(id)).toMatchObject({ state: "succeeded", output: ["one", "two", "three"] });
    });

    it("waits for a signal no longer than it said", async () => {
      const id = await test.ask((workflows) => workflows.start(flows.waiting, { signals: 1, timeoutSeconds: 0.05 }));
      expect(await test.ended(id)).toMatchObject({ state: "succeeded", output: [null] });
    });

    it.each([
      ["fails", true, { state: "failed" }],
      ["is cancelled", false, { state: "cancelled" }],
    ])("undoes the last first where it %s", async (_what, fail, ending) => {
      const id = await test.ask((workflows) => workflows.start(flows.undoing, { fail }));
      if (!fail) {
        await until(async () => (await test.words(id)).length === 2);
        await test.ask((workflows) => workflows.cancel(id));
      }
      expect(await test.ended(id)).toMatchObject(ending);
      expect(await test.words(id)).toEqual(["a", "b", "undone b", "undone a"]);
    });

    it("has what waits cancelled at once", async () => {
      const first = await test.ask((workflows) => workflows.start(flows.queued, { key: "k", word: "first" }));
      const second = await test.ask((workflows) => workflows.start(flows.queued, { key: "k", word: "second" }));
      await until(async () => (await test.words(first)).length === 1);
      await test.ask((workflows) => workflows.cancel(second));
      expect(await test.run(second)).toMatchObject({ state: "cancelled" });
      await test.ask((workflows) => workflows.signal(first, flows.go, { word: "go" }));
      const third = await test.ask((workflows) => workflows.start(flows.queued, { key: "k", word: "third" }));
      await until(async () => (await test.words(third)).length === 1);
      expect(await test.words(first, second, third)).toEqual(["first", "third"]);
    });

    it("runs branches and children at once, and tells how far it is", async () => {
      const id = await test.ask((workflows) => workflows.start(flows.branching, { branches: 5, atOnce: 3 }));
      expect(await test.ended(id)).toMatchObject({ state: "succeeded", output: [2, 2, 2, 2, 2], progress: { step: "branching", done: 5, total: 5 } });
      expect((await test.words(id)).toSorted()).toEqual(Array.from({ length: 5 }, (_, i) => [`branch ${i}`, `branch ${i} 1`, `branch ${i} 2`]).flat().toSorted());
    });

    it("fails with its child, and goes on from there when it is asked to", async () => {
      const id = await test.ask((workflows) => workflows.start(flows.parent, { times: 3 }));
      expect(await test.ended(id)).toMatchObject({ state: "failed", failure: { code: "step-failed" }, execution: 1 });
      expect(await test.words(id)).toEqual(["parent"]);
      await test.ask((workflows) => workflows.retry(id));
      expect(await test.ended(id)).toMatchObject({ state: "failed", execution: 2 });
      expect(await test.words(id)).toEqual(["parent"]);
    });

    it("cancels the children with the parent", async () => {
      const id = await test.ask((workflows) => workflows.start(flows.branching, { branches: 1, atOnce: 1 }));
      await test.ask((workflows) => workflows.cancel(id));
      expect((await test.ended(id)).state).toMatch(/cancelled|succeeded/);
    });

    it("runs one of a key at a time, and no more than its limit", async () => {
      const start = (key: string, word: string): Promise<string> => test.ask((workflows) => workflows.start(flows.queued, { key, word }));
      const [a1, a2, b1, c1] = [await start("a", "a1"), await start("a", "a2"), await start("b", "b1"), await start("c", "c1")];
      const words = (): Promise<string[]> => test.words(a1, a2, b1, c1);
      await until(async () => (await words()).length === 2);
      expect((await words()).toSorted()).toEqual(["a1", "b1"]);
      expect((await test.run(a2)).state).toBe("waiting");
      const go = (id: string): Promise<void> => test.ask((workflows) => workflows.signal(id, flows.go, { word: "go" }));
      await go(a1);
      await until(async () => (await words()).length === 3);
      expect((await words())[2]).toBe("a2");
      for (const id of [a2, b1, c1]) await go(id);
      for (const id of [a1, a2, b1, c1]) expect(await test.ended(id)).toMatchObject({ state: "succeeded" });
    });

    scheduleConformance(() => test);

    it.each([
      [flows.wrongBranches, {}, "workflow-failed", "a branch makes one call"],
      [flows.tooLarge, {}, "too-large", "larger ones go by blob reference"],
    ] as const)("refuses what a history cannot hold: $id", async (workflow, input, code, message) => {
      const id = await test.ask((workflows) => workflows.start(workflow as unknown as Workflow, input));
      expect(await test.ended(id)).toMatchObject({ state: "failed", failure: { code, message: expect.stringContaining(message) as string } });
    });
  });
}

