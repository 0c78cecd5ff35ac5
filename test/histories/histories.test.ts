import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { replayHistory, type History } from "../../src/platform/workflow/testing/history.ts";
import { declared, scenarios } from "./scenarios.ts";

const folder = join(import.meta.dirname, "recorded");
const histories = readdirSync(folder).map((name) => ({ name, history: JSON.parse(readFileSync(join(folder, name), "utf8")) as History }));

describe("runs that were recorded go on by today's code", () => {
  it.each(histories)("$name", async ({ history }) => {
    const definition = declared.find(({ id }) => id === history.workflow);
    if (definition === undefined) expect.fail(`There is no workflow ${history.workflow} any more; runs of it that are under way could not go on.`);
    expect(await replayHistory(definition, history)).toBeUndefined();
  });
});

it("each workflow has one; scenarios.ts says what is recorded, and `node test/histories/record.ts` records it", () => {
  expect(declared.map(({ id }) => id).filter((id) => !histories.some(({ history }) => history.workflow === id))).toEqual([]);
  const recorded = histories.map(({ history }) => `${history.workflow} ${history.about}`);
  expect(scenarios.map(([{ id }, { about }]) => `${id} ${about}`).filter((one) => !recorded.includes(one))).toEqual([]);
});
