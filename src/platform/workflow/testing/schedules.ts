import { expect, it } from "vitest";
import { until } from "../../events/testing.ts";
import type { WorkflowsUnderTest } from "./harness.ts";
import * as flows from "./workflows.ts";

/** Each hour, at a minute that is as far away as can be: no hour turns while a test counts what was due. */
function halfAnHourAway(): string {
  return `${(new Date().getUTCMinutes() + 30) % 60} * * * *`;
}

/** What every engine has to do with schedules, while a server runs. */
export function scheduleConformance(under: () => WorkflowsUnderTest): void {
  it("starts by itself what is due, and makes up for what was missed", async () => {
    const test = under();
    const schedule = { name: "often", workflow: "test.plain", input: { word: "due" }, cron: halfAnHourAway(), timeZone: "UTC", overlap: "allow" as const, catchUpSeconds: 7_300, paused: false };
    const id = await test.ask((workflows) => workflows.schedule(schedule));
    // As if no server had run for five hours: three of them are further back than it makes up for.
    await test.missed(id, 5);
    await until(async () => (await test.statesOf(id)).join() === "succeeded,succeeded");
    expect((await test.allWords()).filter((word) => word.startsWith("due")).toSorted()).toEqual(["due 1", "due 1", "due 2", "due 2"]);
    expect(await test.scheduled(id)).toEqual({ runs: 2, next: true });
  });

  it.each([
    ["skip", 1, ["running"]],
    ["wait", 2, ["running", "waiting"]],
    ["allow", 3, ["running", "running", "running"]],
    ["cancel", 3, ["cancelled", "cancelled", "running"]],
  ] as const)("where a run is due and another is not over: %s", async (overlap, runs, states) => {
    const test = under();
    const schedule = { name: "often", workflow: "test.waiting", input: { signals: 1 }, cron: halfAnHourAway(), timeZone: "UTC", overlap, catchUpSeconds: 0, paused: false };
    const id = await test.ask((workflows) => workflows.schedule(schedule));
    for (let i = 0; i < 3; i++) {
      await test.missed(id, 0);
      await test.runDue();
      await until(async () => (await test.scheduled(id)).next);
      await until(async () => (await test.statesOf(id)).every((state) => state !== "waiting") || overlap === "wait");
    }
    await until(async () => (await test.statesOf(id)).join() === states.join());
    expect(await test.statesOf(id)).toHaveLength(runs);
  });

  it("starts nothing of a paused schedule", async () => {
    const test = under();
    const schedule = { name: "never", workflow: "test.plain", input: { word: "s" }, cron: halfAnHourAway(), timeZone: "UTC", overlap: "allow" as const, catchUpSeconds: 86_400, paused: true };
    const id = await test.ask((workflows) => workflows.schedule(schedule));
    await test.missed(id, 5);
    await test.runDue();
    await test.ended(await test.ask((workflows) => workflows.start(flows.plain, { word: "w" })));
    expect(await test.scheduled(id)).toEqual({ runs: 0, next: false });
  });
}
