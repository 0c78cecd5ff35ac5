import { describe, expect, it } from "vitest";
import { Type } from "typebox";
import { workflow, type Flow, type Workflow } from "../declare.ts";
import { answers, recordHistory, replayHistory, type Scenario } from "./history.ts";
import { go, tell, undo, write } from "./workflows.ts";

const scenario: Scenario = { about: "as ever", input: {}, steps: [answers(write, { rows: 1 }), answers(tell, null), answers(undo, null)], told: [{ signal: "go", body: { word: "go" } }] };

function code(run: (flow: Flow) => Promise<unknown>): Workflow {
  return workflow({ id: "test.changing", summary: "Changes", permission: "test:run", signals: [go], input: Type.Object({}), output: Type.Null(), run: run as never }) as unknown as Workflow;
}

async function asEver(flow: Flow): Promise<null> {
  await flow.step(write, { word: "a" });
  await flow.waitFor(go);
  await flow.step(tell, { word: "b" });
  return null;
}

describe("a run that was recorded", () => {
  it.each<[string, (flow: Flow) => Promise<unknown>]>([
    ["the same code", asEver],
    ["code that asks for the same with other words, and answers something else", async (flow) => {
      await flow.step(write, { word: "another" });
      await flow.waitFor(go, { timeoutSeconds: 5 });
      await flow.step(tell, { word: "another" });
      return "another";
    }],
    ["a step that came by a patch", async (flow) => {
      if (await flow.patch("test.new")) await flow.step(undo, { word: "new" });
      await asEver(flow);
    }],
    ["a way that was replaced by a patch", async (flow) => {
      await flow.step(write, { word: "a" });
      if (await flow.patch("test.other-way")) return;
      await flow.waitFor(go);
      await flow.step(tell, { word: "b" });
    }],
    ["a compensation that no run of it came to need", async (flow) => {
      flow.compensate(undo, { word: "a" });
      await asEver(flow);
    }],
  ])("goes on by %s", async (_what, run) => {
    const history = await recordHistory(code(asEver), scenario);
    expect(await replayHistory(code(run), history)).toBeUndefined();
  });

  it.each<[string, (flow: Flow) => Promise<unknown>, string]>([
    ["a step that came first", async (flow) => {
      await flow.step(undo, { word: "new" });
      await asEver(flow);
    }, "at 1 of 5 the recorded run did test.write, and the code does test.undo now"],
    ["steps that changed places", async (flow) => {
      await flow.step(tell, { word: "b" });
      await flow.waitFor(go);
      await flow.step(write, { word: "a" });
    }, "at 1 of 5 the recorded run did test.write, and the code does test.tell now"],
    ["a step that came last", async (flow) => {
      await asEver(flow);
      await flow.step(undo, { word: "new" });
    }, "at 5 of 5 the recorded run did workflow.end, and the code does test.undo now"],
    ["a step that is gone", async (flow) => {
      await flow.step(write, { word: "a" });
      await flow.waitFor(go);
    }, "at 4 of 5 the recorded run did test.tell, and the code does workflow.end now"],
    ["a wait that is gone", async (flow) => {
      await flow.step(write, { word: "a" });
      await flow.step(tell, { word: "b" });
    }, "at 2 of 5 the recorded run did workflow.wait, and the code does test.tell now"],
    ["a failure that it had not", async (flow) => {
      await asEver(flow);
      throw new Error("no");
    }, "the recorded run succeeded, and the code ends failed now"],
    ["a change that its own code would hide", async (flow) => {
      await flow.step(undo, { word: "new" }).catch(() => undefined);
      await asEver(flow);
    }, "at 1 of 5 the recorded run did test.write, and the code does test.undo now"],
  ])("is found to be broken by %s", async (_what, run, difference) => {
    const history = await recordHistory(code(asEver), scenario);
    const found = await replayHistory(code(run), history);
    expect(found).toContain(`test.changing, as ever: ${difference}`);
    expect(found).toContain("goes through flow.patch");
  });

  it("is found to be broken by a patch that is gone too early", async () => {
    const history = await recordHistory(code(async (flow) => {
      if (await flow.patch("test.new")) await flow.step(undo, { word: "new" });
      await asEver(flow);
    }), scenario);
    expect(await replayHistory(code(asEver), history)).toContain("at 1 of 8 the recorded run passed the patch test.new, and the code does test.write now");
  });
});

it.each<[string, Partial<Scenario>, string]>([
  ["a step", { steps: [answers(write, { rows: 1 })] }, "the scenario says nothing of test.tell"],
  ["what it is told", { told: [] }, "the scenario says nothing of what it is told while it waits"],
  ["where it ends", { told: [{ signal: "go", body: { word: "go" } }, "nothing in time"] }, "it has ended, and was to be told more"],
])("records nothing of a scenario that does not know %s", async (_what, less, message) => {
  await expect(recordHistory(code(asEver), { ...scenario, ...less })).rejects.toThrow(message);
});
