import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import { sql } from "../database/sql.ts";
import { until } from "../events/testing.ts";
import { createIds } from "../ids.ts";
import { createDbosEngine } from "./engines/dbos/engine.ts";
import { executionKey } from "./engine.ts";
import { endLostRun } from "./lost-runs.ts";
import { workflowsUnderTest, type Server, type WorkflowsUnderTest } from "./testing/harness.ts";
import * as flows from "./testing/workflows.ts";

const entry = new URL("testing/thread.ts", import.meta.url);

let test: WorkflowsUnderTest;
let server: Server;
beforeAll(async () => {
  test = await workflowsUnderTest((fixture, ports) => createDbosEngine({ ...ports, entry, connection: fixture.config("qinfra_system") }));
  server = await test.server();
});
afterAll(() => test.close());

/** What a server does about an execution that its engine calls over; false where it does nothing. */
async function endIfOver(id: string, execution = 1): Promise<boolean> {
  const key = executionKey(test.orgId, id, execution);
  const how = (await server.engine.over([key])).get(key);
  if (how === undefined) return false;
  return test.database.system((db) => endLostRun(db, { org_id: test.orgId, id, execution }, how, { clock: systemClock, ids: createIds(systemClock), events: test.on(db, test.orgId), workflows: new Map() }));
}

it("given an execution that its engine has lost, then its run has failed and says so, and goes on after what is done", async () => {
  const id = await test.ask((workflows) => workflows.start(flows.undoing, { fail: false }));
  await until(async () => (await test.steps(id)).length === 3);
  expect(await endIfOver(id)).toBe(false);
  await server.engine.forget([executionKey(test.orgId, id, 1)]);
  expect(await endIfOver(id)).toBe(true);
  expect(await endIfOver(id)).toBe(false);
  expect(await test.run(id)).toMatchObject({ state: "failed", failure: { code: "workflow-lost", message: expect.stringContaining("is not known to DBOS any more") } });

  await test.ask((workflows) => workflows.retry(id));
  await test.ask((workflows) => workflows.signal(id, flows.go, { word: "go" }));
  expect(await test.ended(id)).toMatchObject({ state: "succeeded", execution: 2 });
  expect(await test.words(id)).toEqual(["a", "b"]);
  expect(await endIfOver(id, 2)).toBe(false);
});

it("given a parent that was lost while children ran, then they are cancelled, and the run can be gone on with from the first of them", async () => {
  const ids = createIds(systemClock);
  const [id, done, open] = [ids.uuid(), ids.uuid(), ids.uuid()] as const;
  await test.database.tenant(test.orgId, async (db) => {
    const run = (run: string, state: string, parent: { id: string; seq: number } | undefined) => db.run(sql`
      insert into platform.workflow_runs (org_id, id, workflow, state, input, actor, executor, parent_id, parent_seq, created_at, handed_at, ended_at)
      values (${test.orgId}, ${run}, 'test.elsewhere', ${state}, '{}', '{}', ${server.executor}, ${parent?.id ?? null}, ${parent?.seq ?? null}, now(), now(), case when ${state} = 'running' then null else now() end)`);
    await run(id, "running", undefined);
    await run(done, "succeeded", { id, seq: 1 });
    await run(open, "running", { id, seq: 2 });
    for (const seq of [1, 2, 3]) {
      await db.run(sql`insert into platform.workflow_steps (org_id, run_id, seq, step, attempt, input, started_at, ended_at) values (${test.orgId}, ${id}, ${seq}, 'workflow.start-child', 1, '{}', now(), now())`);
    }
  });
  expect(await endIfOver(id)).toBe(true);
  const { where } = await test.database.tenant(test.orgId, (db) => db.one<{ where: unknown }>(sql`select input->'where' as where from platform.workflow_steps where run_id = ${id} and seq = 0`));
  expect(where).toEqual({ from: 2, to: 3, undone: false });
  const cancelled = await test.database.tenant(test.orgId, (db) => db.many<{ id: string }>(sql`select id from platform.workflow_runs where cancelled_at is not null and parent_id = ${id}`));
  expect(cancelled.map((one) => one.id)).toEqual([open]);
});
