import { expect, it } from "vitest";
import { sql } from "../../database/sql.ts";
import { until } from "../../events/testing.ts";
import { workflowsUnderTest, type OpenEngine } from "./harness.ts";
import * as flows from "./workflows.ts";

const most = 1_000;

/** So many runs that are under way at the same moment, on one server. */
export function thousandAtOnce(title: string, open: OpenEngine): void {
  it(`has ${most} runs under way at once on ${title}, and ends each of them once`, { timeout: 400_000 }, async () => {
    const test = await workflowsUnderTest(open);
    const count = async (state: string): Promise<number> =>
      (await test.database.tenant(test.orgId, (db) => db.one<{ runs: number }>(sql`select count(*)::int as runs from platform.workflow_runs where state = ${state}`))).runs;
    const waits = async (): Promise<number> =>
      (await test.database.tenant(test.orgId, (db) => db.one<{ steps: number }>(sql`select count(*)::int as steps from platform.workflow_steps where step = 'workflow.wait'`))).steps;
    await test.server();
    const ids = await test.ask(async (workflows) => {
      const started: string[] = [];
      while (started.length < most) started.push(await workflows.start(flows.waiting, { signals: 1 }));
      return started;
    });
    await until(async () => (await waits()) === most);
    expect(await count("running")).toBe(most);

    await test.ask(async (workflows) => {
      for (const id of ids) await workflows.signal(id, flows.go, { word: id });
    });
    await until(async () => (await count("running")) === 0);
    expect(await count("succeeded")).toBe(most);
    expect((await test.allWords()).toSorted()).toEqual(ids.toSorted());
    await test.close();
  });
}
