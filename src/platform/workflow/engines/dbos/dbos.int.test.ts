import { expect, it } from "vitest";
import { until } from "../../../events/testing.ts";
import { endOrganization } from "../../dispatch.ts";
import { engineConformance } from "../../testing/conformance.ts";
import { workflowsUnderTest, type OpenEngine } from "../../testing/harness.ts";
import * as flows from "../../testing/workflows.ts";
import { createDbosEngine } from "./engine.ts";

const entries = { today: new URL("../../testing/thread.ts", import.meta.url), before: new URL("../../testing/thread-before.ts", import.meta.url) };
const open: OpenEngine = (fixture, ports, code) => createDbosEngine({ ...ports, entry: entries[code], connection: fixture.config("qinfra_system") });

engineConformance("DBOS", open);

it("given an organization that is erased, then the engine keeps nothing of what it ran or runs", async () => {
  const test = await workflowsUnderTest(open);
  const server = await test.server();
  await test.ended(await test.ask((workflows) => workflows.start(flows.plain, { word: "w" })));
  const waiting = await test.ask((workflows) => workflows.start(flows.waiting, { signals: 1 }));
  await until(async () => (await test.steps(waiting)).length === 1);
  const superuser = await test.connect("superuser");
  const kept = async (): Promise<unknown[]> => (await superuser.query("select workflow_uuid from dbos.workflow_status union all select workflow_uuid from dbos.operation_outputs")).rows;
  expect((await kept()).length).toBeGreaterThan(2);
  await endOrganization({ database: test.database, engine: server.engine }, test.orgId);
  expect(await kept()).toEqual([]);
  await superuser.end();
  await test.close();
});
