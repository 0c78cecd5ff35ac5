import { afterAll, beforeAll, expect, it } from "vitest";
import { createDbosEngine } from "./engines/dbos/engine.ts";
import { workflowsUnderTest, type WorkflowsUnderTest } from "./testing/harness.ts";
import * as flows from "./testing/workflows.ts";

let test: WorkflowsUnderTest;
/** Words of the runs, and bodies of the messages, that the engine was asked to take. */
const asked: unknown[] = [];
let refused = 0;

/** As an engine whose server is away for a while. */
function sometimesAway(): void {
  if ((refused += 1) % 2 === 1) throw new Error("the engine is away");
}

beforeAll(async () => {
  test = await workflowsUnderTest(async (fixture, ports) => {
    const engine = await createDbosEngine({ ...ports, entry: new URL("./testing/thread.ts", import.meta.url), connection: fixture.config("qinfra_system") });
    return {
      ...engine,
      async start(run) {
        asked.push((run.input as { word?: string }).word);
        sometimesAway();
        return engine.start(run);
      },
      async deliver(key, message) {
        if (message.kind === "signal") asked.push(message.body);
        sometimesAway();
        return engine.deliver(key, message);
      },
    };
  });
  await test.server();
});
afterAll(() => test.close());

it("given an engine that is away when runs are handed over, then the same server hands them over once it is back", async () => {
  const words = ["a", "b", "c", "d", "e"];
  const runs = await test.ask(async (workflows) => {
    const started: string[] = [];
    for (const word of words) started.push(await workflows.start(flows.plain, { word }));
    return started;
  });
  for (const run of runs) expect(await test.ended(run)).toMatchObject({ state: "succeeded" });
  expect(new Set(asked)).toEqual(new Set(words));
  expect(asked.length).toBeGreaterThan(words.length);
  expect((await test.words(...runs)).sort()).toEqual(words.flatMap((word) => [`${word} 1`, `${word} 2`]));
});

it("given signals to many runs, then each run has its own in the order in which they were told, though some had to be told again", async () => {
  const runs = await test.ask((workflows) => Promise.all([1, 2, 3].map(() => workflows.start(flows.waiting, { signals: 3 }))));
  const words = ["first", "second", "third"];
  for (const word of words) {
    await test.ask(async (workflows) => {
      for (const run of runs) await workflows.signal(run, flows.go, { word });
    });
  }
  for (const run of runs) expect(await test.ended(run)).toMatchObject({ state: "succeeded", output: words });
});
